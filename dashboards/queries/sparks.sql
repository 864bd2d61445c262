-- How did the visitors of these products go, step by step, over the sealed days of a range?
--
-- in   seller; limited, products: those on the page; first, last; open; starts: the first day of
--      each step, in order
-- out  product; step: from 1; visitors. A step in which nobody came has no row.
select
    product,
    arrayLastIndex(start -> start <= day, {starts:Array(Date)}) as step,
    sum(counts.visitors) as visitors
from counts
where seller = {seller:String}
  and product != ''
  and ({limited:UInt8} = 0 or product in {products:Array(String)})
  and dimension = ''
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
group by product, step
