-- How many attempts at this batch are at work, and may have passed the fence before it was raised?
--
-- in   mark: what stands in the text of the batch's inserts
-- out  one number, without this very question
select count()
from system.processes
where position(query, {mark:String}) > 0
  and position(query, 'system.processes') = 0
