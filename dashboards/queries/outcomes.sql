-- What became of the beacons of each sealed day?
--
-- in   first, last
-- out  day, outcome, beacons
select
    day,
    value as outcome,
    sum(counts.views) as beacons
from counts
where seller = ''
  and dimension = 'outcome'
  and day between {first:Date} and {last:Date}
group by day, outcome
