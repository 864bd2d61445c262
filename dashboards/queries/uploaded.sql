-- What did the marketplace count itself, beside the views counted here of the same products?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open: days
--      that are not sealed, which are left out
-- out  what: orders or page_views; day; number; views: of the products for which there is a
--      number. The last upload of a number holds. A day without a row was not uploaded.
select
    what,
    day,
    sum(told.number) as numbers,
    sum(seen.views) as views
from (
    select
        dimension as what,
        day,
        product,
        argMax(views, seal) as number
    from counts
    where seller = {seller:String}
      and dimension in ('orders', 'page_views')
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    group by dimension, day, product
) as told
left join (
    select
        day,
        product,
        views
    from counts
    where seller = {seller:String}
      and product != ''
      and dimension = ''
      and period = 'day'
      and day between {first:Date} and {last:Date}
) as seen
using (day, product)
group by what, day
