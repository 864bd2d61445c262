-- What did the marketplace count itself, beside the views counted here of the same products?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open: days
--      that are not sealed, which are left out
-- out  what: orders or page_views; day; number; views: of the products for which there is a
--      number. The last upload of a number holds. A day without a row was not uploaded.
--
-- One pass over both kinds of rows into an array for each product, of as many days as are asked for,
-- the orders' and then the page views': a group for each product and day took twice as long,
-- joining them three times. A number stands there in the lower half, its upload in the upper: the
-- largest is the last. Nearly all rows count, so they are read at once and not filtered column by
-- column.
with
    toUInt16({last:Date} - {first:Date} + 1) as days,
    bitShiftLeft(toUInt128(seal), 64) + counts.views as stamped
select
    if(at > days, 'page_views', 'orders') as what,
    {first:Date} + (at - 1) % days as day,
    sum(toUInt64(last)) as numbers,
    sumIf(views_of_day, last > 0) as views
from (
    select
        sumIfResample(0, days, 1)(
            counts.views, dimension = '' and product != '', day - {first:Date}
        ) as seen,
        maxIfResample(0, 2 * days, 1)(
            stamped, dimension != '', day - {first:Date} + if(dimension = 'orders', 0, days)
        ) as told
    from counts
    where seller = {seller:String}
      and dimension in ('', 'orders', 'page_views')
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    group by product
    settings optimize_move_to_prewhere = 0
)
array join
    told as last,
    arrayConcat(seen, seen) as views_of_day,
    arrayEnumerate(told) as at
group by at
having max(last) > 0
