-- Which partitions of pools has this day's close made?
--
-- in   day
-- out  id: the partition's, as the engine names it
select distinct _partition_id as id
from pools
where day = {day:Date}
order by id
