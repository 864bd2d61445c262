-- Which migrations were begun, and which of them finished?
--
-- out  number, done
select
    number,
    max(done) as done
from migrations
group by number
order by number
