-- What did the marketplace count itself, beside the views counted here of the same products?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open: days
--      that are not sealed, which are left out
-- out  what: orders or page_views; day; number; views: of the products for which there is a
--      number. The last upload of a number holds. A day without a row was not uploaded. One pass
--      over both kinds of rows: joining them took three times as long.
select
    told.1 as what,
    day,
    sum(told.2) as numbers,
    sum(seen) as views
from (
    select
        day,
        countIf(dimension = 'orders') as times_orders,
        countIf(dimension = 'page_views') as times_page_views,
        argMaxIf(counts.views, seal, dimension = 'orders') as orders,
        argMaxIf(counts.views, seal, dimension = 'page_views') as page_views,
        sumIf(counts.views, dimension = '' and product != '') as seen
    from counts
    where seller = {seller:String}
      and dimension in ('', 'orders', 'page_views')
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    group by day, product
)
array join arrayFilter(
    (each, times) -> times > 0,
    [('orders', orders), ('page_views', page_views)],
    [times_orders, times_page_views]
) as told
group by what, day
