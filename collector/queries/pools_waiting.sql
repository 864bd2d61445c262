-- Which pools exist?
--
-- in   day: the day whose close asks; what an interrupted try of the same close left is left out
-- out  period, start
select
    period,
    start
from pools
where day < {day:Date}
group by period, start
order by period, start
