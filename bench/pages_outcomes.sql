-- Make what became of a year's beacons for the benchmark.
--
-- in   first: the first day; days: how many
-- out  five outcomes a day
insert into counts
select
    {first:Date} + toUInt16(intDiv(number, 5)) as day,
    'day',
    '',
    '',
    'outcome',
    ['yes', 'no-consent', 'refused', 'gpc', 'bot'][1 + number % 5],
    0,
    1000 + intHash32(number) % 100000,
    0,
    day,
    1
from numbers(5 * {days:UInt16})
