-- How many views and visitors had these products on each day, added up over the products?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open; mark
--      (as in seller_days)
-- out  day, views, visitors: distinct per product and day, summed over products.
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
      and product != ''
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and dimension = ''
      and period = 'day'
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    union all
    select
        day,
        count() as day_views,
        uniqExact(product, visitor) as day_visitors
    from visible_hits
    where day in {open:Array(Date)}
      and seller = {seller:String}
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and batch <= {mark:UInt64}
      and view = 1
    group by day
)
group by day
order by day
