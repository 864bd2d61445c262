-- How many views and distinct visitors had each seller on days still open?
--
-- in   open: the days; mark: the highest batch of the current step
-- out  day, seller, views, visitors: distinct per seller and day
select
    day,
    seller,
    count() as views,
    uniqExact(visitor) as visitors
from visible_hits
where day in {open:Array(Date)}
  and batch <= {mark:UInt64}
  and view = 1
group by day, seller
