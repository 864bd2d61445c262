-- Which attempt at this batch may insert?
--
-- in   batch
-- out  its number, 0 for the first. Every other one inserts nothing, whenever it comes.
select max(attempt)
from attempts
where batch = {batch:UInt64}
