-- Put back what one day's close published.
--
-- in   closed: the day; seal: the number that its rows get here; gone: forgotten sellers;
--      uploads_from as in restore_days
insert into counts
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
    {seal:UInt64}
from restored
where closed = {closed:Date}
  and seal < {uploads_from:UInt64}
  and seller not in {gone:Array(String)}
