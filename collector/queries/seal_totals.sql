-- How many views and visitors had each product on this day?
--
-- in   day; first, last: sellers; part, parts: only visitors whose hash leaves `part` when divided
--      by `parts`, so that the exact sets stay small; the parts' answers add up
-- out  page: the product's key in seal_units; seller, product, visitors, views. No row without a
--      view.
select
    page,
    any(seller) as seller,
    any(product) as product,
    uniqExact(visitor) as visitors,
    count() as views
from (
    select
        sipHash128(seller, product) as page,
        seller,
        product,
        visitor
    from visible_hits
    where day = {day:Date}
      and seller between {first:String} and {last:String}
      and view = 1
      and visitor % {parts:UInt32} = {part:UInt32}
)
group by page
