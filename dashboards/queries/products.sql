-- How many views and visitors had each of this seller's products on the sealed days of a range?
--
-- in   seller; limited: 1 if only `products` count, 0 for all; products; first, last; open
--      (as in seller_days)
-- out  product, views, visitors: distinct per product and day, summed over days. A product that
--      nobody looked at has no row. Nearly all rows count, so they are read at once and not
--      filtered column by column.
select product, views, visitors
from (
    select
        product,
        sum(counts.views) as views,
        sum(counts.visitors) as visitors
    from counts
    where seller = {seller:String}
      and product != ''
      and ({limited:UInt8} = 0 or product in {products:Array(String)})
      and dimension = ''
      and day between {first:Date} and {last:Date}
      and day not in {open:Array(Date)}
    group by product
    settings optimize_move_to_prewhere = 0
)
