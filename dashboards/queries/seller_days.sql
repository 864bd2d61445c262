-- How many views and distinct visitors had this seller on each day?
--
-- in   seller; first, last: the days asked for; open: those of them that are not sealed yet;
--      mark: the highest batch of the current step
-- out  day, views, visitors: distinct per seller and day. A day without a row has none.
select
    day,
    sum(day_views) as views,
    sum(day_visitors) as visitors
from (
    select
        day,
        views as day_views,
        visitors as day_visitors
    from counts
    where seller = {seller:String}
      and product = ''
      and dimension = ''
      and period = 'day'
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    union all
    select
        day,
        count() as day_views,
        uniqExact(visitor) as day_visitors
    from visible_hits
    where day in {open:Array(Date)}
      and seller = {seller:String}
      and batch <= {mark:UInt64}
      and view = 1
    group by day
)
group by day
order by day
