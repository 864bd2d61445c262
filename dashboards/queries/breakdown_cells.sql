-- Which cells of one dimension have the closes published for days in a range?
--
-- in   seller; limited, products; first, last; by: the dimension
-- out  period, start: the period's first day; value; visitors; seconds: their sum where by is
--      `seconds`. Cells of several products stand in separate rows.
select
    period,
    day as start,
    value,
    visitors,
    seconds
from counts
where seller = {seller:String}
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension = {by:String}
  and day between {first:Date} and {last:Date}
