-- How many views and distinct visitors had this seller on each sealed day?
--
-- in   seller; first, last: the days asked for; open: those of them that are not sealed
-- out  day, views, visitors: distinct per seller and day. A day without a row has none.
select
    day,
    views,
    visitors
from counts
where seller = {seller:String}
  and product = ''
  and dimension = ''
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
