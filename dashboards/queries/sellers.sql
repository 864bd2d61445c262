-- How many views and visitors had each seller on the sealed days of a range?
--
-- in   first, last: the days asked for; open: those of them that are not sealed
-- out  seller, views, visitors: distinct per seller and day, summed over days
select
    seller,
    sum(counts.views) as views,
    sum(counts.visitors) as visitors
from counts
where seller != ''
  and product = ''
  and dimension = ''
  and period = 'day'
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
group by seller
