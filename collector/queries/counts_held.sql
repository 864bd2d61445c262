-- Which counts are there?
--
-- out  first and last day, rows; the epoch's first day and 0 rows where there are none
select
    min(day) as first,
    max(day) as last,
    count() as rows
from counts
