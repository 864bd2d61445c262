-- Which cells have the closes published for days in a range?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; dimensions
-- out  dimension; period; start: the period's first day; value; visitors; seconds: their sum where
--      the dimension is `seconds`. Cells of several products are added up: there may be hundreds
--      of thousands.
select
    dimension,
    period,
    day as start,
    value,
    sum(counts.visitors) as visitors,
    sum(counts.seconds) as seconds
from counts
where seller = {seller:String}
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension in {dimensions:Array(String)}
  and day between {first:Date} and {last:Date}
group by dimension, period, day, value
