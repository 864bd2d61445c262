-- Which partitions did earlier days' closes make for this pool?
--
-- in   period, start; day: of the close that empties the pool
-- out  id: the partition's, as the engine names it
select distinct _partition_id as id
from pools
where period = {period:String}
  and start = {start:Date}
  and day < {day:Date}
order by id
