-- Which cells of one dimension have the closes published for days in a range?
--
-- in   seller; limited, products; first, last; by
-- out  period, start: the period's first day; product: '' for the seller's own; value; visitors
select
    period,
    day as start,
    product,
    value,
    sum(visitors) as visitors
from counts
where seller = {seller:String}
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension = {by:String}
  and day between {first:Date} and {last:Date}
group by period, start, product, value
order by start, period, product, value
