-- How many rows of a spool file does this batch hold that still count? (SQLite)
--
-- in   first_row, last_row; the temporary table `left_out`
-- out  one number: as many as spool_batch sends
select count(*)
from groups
cross join json_each(groups.visitors) as each
where groups.first >= (select max(first) from groups where first <= :first_row)
  and groups.first <= :last_row
  and groups.first + each.key between :first_row and :last_row
  and groups.first + each.key not in (select row from left_out)
  and each.type = 'integer'
