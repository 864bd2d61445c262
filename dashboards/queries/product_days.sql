-- How many views and visitors had these products on each sealed day, added up over products?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open
--      (as in seller_days)
-- out  day, views, visitors: distinct per product and day, summed over products.
select
    day,
    sum(counts.views) as views,
    sum(counts.visitors) as visitors
from counts
where seller = {seller:String}
  and product != ''
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension = ''
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
group by day
