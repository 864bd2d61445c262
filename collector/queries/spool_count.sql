-- How many rows of a spool file does this batch hold that still count? (SQLite)
--
-- in   number (of the batch), first_row, last_row; the temporary table `withdrawn`
-- out  one number: as many as spool_batch sends
select count(*)
from hits
where row between :first_row and :last_row
  and hits.seller != ''
  and not exists (
    select 1
    from withdrawn
    where withdrawn.visitor = hits.visitor
      and withdrawn.seller = hits.seller
      and (hits.row <= withdrawn.to_row or :number < withdrawn.before_batch)
  )
