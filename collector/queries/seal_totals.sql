-- How many views and visitors had each product and each seller on this day?
--
-- in   day; first, last: sellers; part, parts: only visitors whose hash leaves `part` when divided
--      by `parts`, so that the exact sets stay small; the parts' answers add up
-- out  seller, product ('' for the seller's own), visitors, views. No row without a view.
select
    seller,
    product,
    uniqExact(visitor) as visitors,
    count() as views
from visible_hits
where day = {day:Date}
  and seller between {first:String} and {last:String}
  and view = 1
  and visitor % {parts:UInt32} = {part:UInt32}
group by grouping sets ((seller, product), (seller))
order by seller, product
