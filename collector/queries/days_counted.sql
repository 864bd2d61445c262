-- Which days did a close count for good?
--
-- out  days. A new ledger beside old counts learns from them which days ran.
select distinct closed
from counts
where period = 'day'
  and dimension in ('', 'outcome')
