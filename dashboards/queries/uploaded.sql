-- What did the marketplace count itself, beside the views counted here of the same products?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open: days
--      that are not sealed, which are left out
-- out  what: orders or page_views; day; number; views: of the products for which there is a
--      number. The last upload of a number holds. A day without a row was not uploaded.
--
-- One pass over both kinds of rows into an array of days for each product: a group for each product
-- and day took twice as long, joining them three times. A number stands there in the lower half,
-- its upload in the upper: the largest is the last. Nearly all rows count, so they are read at once
-- and not filtered column by column.
with bitShiftLeft(toUInt128(seal), 64) + counts.views as stamped
select
    what,
    {first:Date} + toUInt16(at - 1) as day,
    numbers_of_day as numbers,
    seen_of_day as views
from (
    select
        told.1 as what,
        sumForEach(arrayMap(last -> toUInt64(last), told.2)) as numbers_by_day,
        sumForEach(arrayMap((last, views) -> if(last > 0, views, 0), told.2, seen)) as seen_by_day,
        maxForEach(told.2) as last_by_day
    from (
        select
            sumIfResample(0, toUInt16({last:Date} - {first:Date} + 1), 1)(
                counts.views, dimension = '' and product != '', day - {first:Date}
            ) as seen,
            maxIfResample(0, toUInt16({last:Date} - {first:Date} + 1), 1)(
                stamped, dimension = 'orders', day - {first:Date}
            ) as orders,
            maxIfResample(0, toUInt16({last:Date} - {first:Date} + 1), 1)(
                stamped, dimension = 'page_views', day - {first:Date}
            ) as page_views
        from counts
        where seller = {seller:String}
          and dimension in ('', 'orders', 'page_views')
          and ({limited:UInt8} = 0 or product in {products:Array(String)})
          and day between {first:Date} and {last:Date}
          and day not in {open:Array(Date)}
        group by product
        settings optimize_move_to_prewhere = 0
    )
    array join [('orders', orders), ('page_views', page_views)] as told
    group by what
)
array join
    numbers_by_day as numbers_of_day,
    seen_by_day as seen_of_day,
    last_by_day as last_of_day,
    arrayEnumerate(last_by_day) as at
where last_of_day > 0
