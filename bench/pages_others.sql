-- Make a month's counts of many sellers for the benchmark.
--
-- in   month: its first day; days: how many of it; rows: how many counts
-- out  counts of sellers with 100 products each: for every product and day its totals and nine
--      cells of breakdowns; the first product is the seller's own figure
insert into counts
select
    {month:Date} + toUInt8(number % {days:UInt8}) as day,
    'day',
    concat('other-', toString(intDiv(number, {days:UInt8} * 1000))),
    if(page = 0, '', concat('product-', toString(page))),
    ['', 'source', 'source', 'source', 'device', 'device', 'browser', 'browser', 'os', 'hour'][cell],
    [
        '', 'direct', 'search.example', 'social.example', 'mobile', 'desktop', 'Chrome', 'Safari',
        'Android', '20'
    ][cell],
    5 + intHash32(number) % 60 as visitors,
    if(cell = 1, visitors + intHash32(number + 1) % 30, 0),
    0,
    day,
    1
from (
    select
        number,
        1 + intDiv(number, {days:UInt8}) % 10 as cell,
        intDiv(number, {days:UInt8} * 10) % 100 as page
    from numbers({rows:UInt64})
)
