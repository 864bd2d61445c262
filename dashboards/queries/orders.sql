-- How many orders did the marketplace tell for each product and day?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last
-- out  day, product, orders: as last uploaded. A day without a row was not uploaded.
select
    day,
    product,
    argMax(views, seal) as orders
from counts
where seller = {seller:String}
  and dimension = 'orders'
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and day between {first:Date} and {last:Date}
group by day, product
