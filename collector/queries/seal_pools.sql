-- What waits in the pools that end with this close?
--
-- in   day; first, last: sellers; weeks, months: first days of the pools
-- out  period, start, seller, product, dimension, value, visitors, seconds
select
    period,
    start,
    seller,
    product,
    dimension,
    value,
    sum(visitors) as visitors,
    sum(seconds) as seconds
from pools
where day < {day:Date}
  and seller between {first:String} and {last:String}
  and (
    (period = 'week' and start in {weeks:Array(Date)})
    or (period = 'month' and start in {months:Array(Date)})
  )
group by period, start, seller, product, dimension, value
order by seller, product, dimension, period, start, value
