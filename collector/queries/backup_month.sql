-- What does a backup keep of a month?
--
-- in   month: as 202601; under_way: numbers of seals that are still loading
-- out  every column of counts
select
    day,
    period,
    seller,
    product,
    dimension,
    value,
    visitors,
    views,
    seconds,
    closed,
    seal
from counts
where toYYYYMM(day) = {month:UInt32}
  and seal not in {under_way:Array(UInt64)}
order by seller, dimension, product, day, value, period, closed, seal
