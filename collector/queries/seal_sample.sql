-- Which hashes will the search look for after the day is dropped?
--
-- in   day, most
-- out  visitor, 16 hexadecimal digits; withdrawn ones too
select distinct hex(visitor) as visitor
from hits
where day = {day:Date}
limit {most:UInt32}
