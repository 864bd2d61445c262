-- How many rows of this batch arrived and still count?
--
-- in   day, batch
-- out  one number. Asked after any doubt: none, all, or something that nobody can explain.
select count()
from visible_hits
where day = {day:Date}
  and batch = {batch:UInt64}
