-- What has this day's close put into pools?
--
-- in   day
-- out  rows, visitors, views (none), seconds, text_sum, as the seal's integers sum them up
select
    count(),
    sum(visitors),
    0,
    sum(seconds),
    sum(toUInt64(CRC32(concatWithSeparator('\t',
        toString(start), toString(period), seller, product, toString(dimension), value,
        toString(visitors), '0', toString(seconds)
    ))))
from pools
where day = {day:Date}
