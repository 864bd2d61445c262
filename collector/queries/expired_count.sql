-- How many rows of counts are too old to keep?
--
-- in   cutoff: the first day that is kept. A week or month goes when its last day has to.
-- out  one number
select count()
from counts
where multiIf(
    period = 'week', least(toMonday(day) + 6, toLastDayOfMonth(day)),
    period = 'month', toLastDayOfMonth(day),
    day
) < {cutoff:Date}
