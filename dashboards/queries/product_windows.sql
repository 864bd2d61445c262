-- How did this seller's products do on the sealed days of several stretches at once?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last: around all
--      stretches; open: days in between that are not sealed; chosen_first, chosen_last,
--      over_first, over_last, before_first, before_last, long_first, long_last: the stretches
-- out  product; views and visitors of `chosen`; visitors of `over`, `before` and `long`. One pass
--      over the rows instead of four; a product that nobody looked at has no row.
--      Totals are of days only: reading the period as well took an eighth of the time.
select
    product,
    sumIf(counts.views, day between {chosen_first:Date} and {chosen_last:Date}) as views,
    sumIf(counts.visitors, day between {chosen_first:Date} and {chosen_last:Date}) as visitors,
    sumIf(counts.visitors, day between {over_first:Date} and {over_last:Date}) as visitors_over,
    sumIf(counts.visitors, day between {before_first:Date} and {before_last:Date}) as visitors_before,
    sumIf(counts.visitors, day between {long_first:Date} and {long_last:Date}) as visitors_long
from counts
where seller = {seller:String}
  and product != ''
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension = ''
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
group by product
