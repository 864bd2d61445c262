-- How many views and visitors had each seller on this day, products together?
--
-- in   day; first, last: sellers; part, parts as in seal_totals
-- out  seller, visitors, views
select
    seller,
    uniqExact(visitor) as visitors,
    count() as views
from visible_hits
where day = {day:Date}
  and seller between {first:String} and {last:String}
  and view = 1
  and visitor % {parts:UInt32} = {part:UInt32}
group by seller
