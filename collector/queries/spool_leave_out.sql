-- Which rows of this batch were withdrawn? Into the temporary table `left_out`. (SQLite)
--
-- in   number (of the batch), first_row, last_row; the temporary table `withdrawn`
insert into left_out
select distinct groups.first + each.key
from groups
cross join json_each(groups.visitors) as each
cross join withdrawn on withdrawn.visitor = each.value
where groups.first >= (select max(first) from groups where first <= :first_row)
  and groups.first <= :last_row
  and groups.first + each.key between :first_row and :last_row
  and (groups.first + each.key <= withdrawn.to_row or :number < withdrawn.before_batch)
  and json_extract(groups.hits, '$[' || each.key || '][1]') = withdrawn.seller
