-- What is the highest batch number that ever arrived and is still here?
--
-- out  one number, 0 when there are no hits. A ledger that doesn't know it has been lost.
select max(batch)
from hits
