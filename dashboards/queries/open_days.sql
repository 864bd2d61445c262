-- How many views and distinct visitors had a seller, and each product, on days still open?
--
-- in   seller; open: the days; mark: the highest batch of the current step
-- out  day, product ('' for the seller's own figure), views, visitors: distinct per day. Asked
--      once a step and served from that answer until the next or until someone withdraws.
select
    day,
    if(grouping(product) = 1, '', product) as shown_product,
    count() as views,
    uniqExact(visitor) as visitors
from visible_hits
where day in {open:Array(Date)}
  and seller = {seller:String}
  and batch <= {mark:UInt64}
  and view = 1
group by grouping sets ((day), (day, product))
