-- What has this seal loaded into counts?
--
-- in   seal; day: the one that was closed; earliest: the first day of its earliest period
-- out  rows, visitors, views, seconds, text_sum, as the seal's integers sum them up
select
    count(),
    sum(visitors),
    sum(views),
    sum(seconds),
    sum(toUInt64(CRC32(concatWithSeparator('\t',
        toString(day), toString(period), seller, product, toString(dimension), value,
        toString(visitors), toString(views), toString(seconds)
    ))))
from counts
where seal = {seal:UInt64}
  and closed = {day:Date}
  and day >= {earliest:Date}
