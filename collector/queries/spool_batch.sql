-- Which rows of a spool file does this batch send, as ClickHouse reads them? (SQLite)
--
-- in   begin (of every line: the day and the batch's number as JSON), first_row, last_row; the
--      temporary table `left_out`
-- out  how many, and the rows as JSONCompactEachRow: day, batch, then as in the spool. Sorted by
--      what follows the hour: seller, product and hash first, as texts; so nothing tells which hit
--      came first. Without the rows of forgotten sellers, which are null.
select
    count(*) as row_count,
    cast(group_concat(line, char(10)) as blob) as body
from (
    select :begin || substr(each.value, 2) as line
    from groups
    cross join json_each(groups.hits) as each
    where groups.first >= (select max(first) from groups where first <= :first_row)
      and groups.first <= :last_row
      and groups.first + each.key between :first_row and :last_row
      and groups.first + each.key not in (select row from left_out)
      and each.type = 'array'
    order by substr(each.value, instr(each.value, ',')), each.value
)
