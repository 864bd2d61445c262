-- What has this seal loaded into counts?
--
-- in   seal; earliest: the first day of its earliest period
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
  and day >= {earliest:Date}
