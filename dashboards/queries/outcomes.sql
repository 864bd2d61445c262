-- What became of the beacons of each sealed day?
--
-- in   first, last
-- out  day, outcome, beacons. The outcome `views` is the views among those that counted, all
--      sellers' together; a day that an older version closed has none.
select
    day,
    if(dimension = 'views', 'views', value) as outcome,
    sum(counts.views) as beacons
from counts
where seller = ''
  and dimension in ('outcome', 'views')
  and day between {first:Date} and {last:Date}
group by day, outcome
