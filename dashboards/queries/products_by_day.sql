-- How many views and visitors had each of this seller's products on each sealed day?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open
--      (as in seller_days)
-- out  day, product, views, visitors: distinct per product and day; by day, then product.
select
    day,
    product,
    views,
    visitors
from counts
where seller = {seller:String}
  and product != ''
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension = ''
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
order by day, product
