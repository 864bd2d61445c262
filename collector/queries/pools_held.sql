-- What waits for a week's or month's close?
--
-- out  period, start, rows, visitors: visitor-days, counted once in each dimension
select
    period,
    start,
    count() as rows,
    sum(visitors) as visitors
from pools
group by period, start
order by period, start
