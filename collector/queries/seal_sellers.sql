-- Which sellers does this day's close concern, and how many hits does each have?
--
-- in   day; weeks, months: first days of the pools that end with this close
-- out  seller, hits: by seller. A seller may have a pool that ends and no hit today.
select
    seller,
    sum(rows) as hits
from (
    select
        seller,
        count() as rows
    from visible_hits
    where day = {day:Date}
    group by seller
    union all
    select
        seller,
        0 as rows
    from pools
    where day < {day:Date}
      and (
        (period = 'week' and start in {weeks:Array(Date)})
        or (period = 'month' and start in {months:Array(Date)})
      )
    group by seller
)
group by seller
order by seller
