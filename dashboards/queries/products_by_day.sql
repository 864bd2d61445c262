-- How many views and visitors had each of this seller's products on each day?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open; mark
--      (as in seller_days)
-- out  product, day, views, visitors: distinct per product and day; by day, then product.
select
    product,
    day,
    sum(day_views) as views,
    sum(day_visitors) as visitors
from (
    select
        product,
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
        product,
        day,
        count() as day_views,
        uniqExact(visitor) as day_visitors
    from visible_hits
    where day in {open:Array(Date)}
      and seller = {seller:String}
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and batch <= {mark:UInt64}
      and view = 1
    group by day, product
)
group by product, day
order by day, product
