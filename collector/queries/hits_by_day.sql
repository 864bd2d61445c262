-- Which days still hold hits, how many, and how many withdrawals wait to disappear with them?
--
-- out  day, hits, erased
select
    day,
    sum(hits) as hits,
    sum(erasures) as erased
from (
    select day, count() as hits, 0 as erasures from hits group by day
    union all
    select day, 0 as hits, count() as erasures from erased group by day
)
group by day
order by day
