-- Which months have counts?
--
-- in   under_way, uploads_from as in backup_month
-- out  month: as 202601; rows
select
    toYYYYMM(day) as month,
    count() as rows
from counts
where seal >= {uploads_from:UInt64}
   or closed not in {under_way:Array(Date)}
group by month
order by month
