-- Which cells have the closes published for days in a range?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; dimensions
-- out  dimension; period; start: the period's first day; value; visitors; seconds: their sum where
--      the dimension is `seconds`. Cells of several products stand in separate rows.
select
    dimension,
    period,
    day as start,
    value,
    visitors,
    seconds
from counts
where seller = {seller:String}
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension in {dimensions:Array(String)}
  and day between {first:Date} and {last:Date}
