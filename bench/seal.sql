-- Make a day's hits for the benchmark.
--
-- in   first, rows: of the numbers that become hits; day
-- out  hits of 200 sellers and 20,000 products, with the shares of a small marketplace
insert into hits
select
    {day:Date},
    toUInt8(intHash32(number) % 24),
    concat('seller ', toString(intHash64(number) % 200)),
    concat('product ', toString(intHash64(number) % 20000)),
    cityHash64(intHash64(number * 7) % 5000000, intHash64(number) % 200),
    1,
    [
        'direct', 'search.example', 'social.example', 'photos.example',
        'second.example', 'pins.example', 'newsletter', 'forum.example'
    ][1 + least(7, toUInt32(floor(-log((intHash32(number + 5) % 1000 + 1) / 1001) * 1.5)))],
    if(number % 10 = 0, 'summer', ''),
    ['mobile', 'desktop', 'tablet'][1 + number % 3],
    ['Chrome', 'Safari', 'Firefox', 'Edge'][1 + number % 4],
    ['Android', 'iOS', 'Windows', 'macOS', 'Linux'][1 + number % 5],
    0,
    toUInt64(1 + intDiv(number, 10000))
from numbers({first:UInt64}, {rows:UInt64})
