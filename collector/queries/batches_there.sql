-- Which batches of this day does ClickHouse hold anything of?
--
-- in   day
-- out  batch numbers. A part that broke is set aside at the engine's start, with whole batches.
select distinct batch
from hits
where day = {day:Date}
