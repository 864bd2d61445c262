-- Which of this day's withdrawals does ClickHouse know?
--
-- in   day
-- out  seller, visitor, before_batch
select
    seller,
    visitor,
    before_batch
from erased
where day = {day:Date}
