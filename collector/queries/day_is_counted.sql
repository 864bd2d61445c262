-- Do counts hold this day already?
--
-- in   day
-- out  how many rows of totals. A ledger that says "open" to a counted day has been lost.
select count()
from counts
where day = {day:Date}
  and period = 'day'
  and dimension = ''
