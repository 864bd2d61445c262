-- What does a backup keep of a month?
--
-- in   month: as 202601; under_way: days whose close may load rows meanwhile; uploads_from: from this
--      seal on a row was uploaded and not counted by a close
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
  and (seal >= {uploads_from:UInt64} or closed not in {under_way:Array(Date)})
order by seller, dimension, product, day, value, period, closed, seal
