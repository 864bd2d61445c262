-- What became of each sealed day's beacons?
--
-- in   first, last
-- out  day, outcome, beacons
select
    day,
    value as outcome,
    sum(views) as beacons
from counts
where dimension = 'outcome'
  and day between {first:Date} and {last:Date}
group by day, outcome
order by day, outcome
