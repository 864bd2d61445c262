-- How did each seller do on the sealed days of several stretches at once?
--
-- in   first, last: around all stretches; open: days in between that are not sealed; chosen_first,
--      chosen_last, over_first, over_last, before_first, before_last, long_first, long_last
-- out  seller; views and visitors of `chosen`; visitors of `over`, `before` and `long`: distinct
--      per seller and day, summed over days. One pass over all sellers' rows, which are far apart.
--      Totals are of days only: reading the period as well took an eighth of the time.
select
    seller,
    sumIf(counts.views, day between {chosen_first:Date} and {chosen_last:Date}) as views,
    sumIf(counts.visitors, day between {chosen_first:Date} and {chosen_last:Date}) as visitors,
    sumIf(counts.visitors, day between {over_first:Date} and {over_last:Date}) as visitors_over,
    sumIf(counts.visitors, day between {before_first:Date} and {before_last:Date}) as visitors_before,
    sumIf(counts.visitors, day between {long_first:Date} and {long_last:Date}) as visitors_long
from counts
where seller != ''
  and product = ''
  and dimension = ''
  and day between {first:Date} and {last:Date}
  and day not in {open:Array(Date)}
group by seller
