-- Which months have counts?
--
-- in   under_way: numbers of seals that are still loading
-- out  month: as 202601; rows
select
    toYYYYMM(day) as month,
    count() as rows
from counts
where seal not in {under_way:Array(UInt64)}
group by month
order by month
