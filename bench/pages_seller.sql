-- Make a year's counts of one large seller for the benchmark.
--
-- in   seller; first: the first day; days: how many; products: how many
-- out  totals, uploaded page views and orders of each product and day; six cells of breakdowns a
--      day for 200 products, thirteen a month, once it is over, for all; the seller's own totals
insert into counts
select
    {first:Date} + toUInt16(number % {days:UInt16}) as day,
    cell.1,
    {seller:String},
    if(product = 0, '', concat('product-', toString(product - 1))),
    cell.2,
    cell.3,
    cell.4,
    cell.5,
    if(cell.2 = 'seconds', cell.4 * 47, 0),
    if(cell.1 = 'day', day, toLastDayOfMonth(day)),
    cell.6
from (
    select
        number,
        intDiv(number, {days:UInt16}) as product,
        {first:Date} + toUInt16(number % {days:UInt16}) as at,
        if(product = 0, 9000, 0) + intHash32(number) % 40 as n,
        arrayConcat(
            [('day', '', '', n, n + intHash32(number + 1) % 20, 1)],
            if(product = 0, [], [('day', 'page_views', '', 0, 3 * n, toUInt64(exp2(62)))]),
            if(product % 10 = 1, [('day', 'orders', '', 0, intDiv(n, 20), toUInt64(exp2(62)))], []),
            if(product between 1 and 200, arrayMap(
                (dimension, value) -> ('day', dimension, value, 5 + n % 7, 0, 1),
                ['source', 'source', 'device', 'browser', 'os', 'hour'],
                ['direct', 'search.example', 'mobile', 'Chrome', 'Android', '20']
            ), []),
            if(product > 0 and toDayOfMonth(at) = 1
                and toLastDayOfMonth(at) < {first:Date} + {days:UInt16}, arrayMap(
                (dimension, value) -> ('month', dimension, value, 5 + n, 0, 1),
                [
                    'source', 'source', 'source', 'device', 'device', 'browser', 'browser', 'os',
                    'os', 'hour', 'hour', 'hour', 'seconds'
                ],
                [
                    'social.example', 'photos.example', 'newsletter', 'desktop', 'tablet', 'Safari',
                    'Firefox', 'iOS', 'Windows', '9', '12', '19', ''
                ]
            ), [])
        ) as cells
    from numbers({days:UInt16} * (1 + {products:UInt16}))
)
array join cells as cell
