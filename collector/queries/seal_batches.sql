-- How many rows of each of this day's batches are stored and still count?
--
-- in   day
-- out  batch, how many
select
    batch,
    count() as stored
from visible_hits
where day = {day:Date}
group by batch
order by batch
