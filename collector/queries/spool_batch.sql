-- Which rows of a spool file does this batch send, as ClickHouse reads them? (SQLite)
--
-- in   day, number (of the batch), first_row, last_row; the temporary table `withdrawn`
-- out  how many, and the rows as JSONCompactEachRow in the order of the table `hits`. Sorted by
--      seller, product and hash, so that nothing tells which hit came first. Without the rows of
--      forgotten sellers, whose seller is empty.
select
    count(*) as row_count,
    cast(group_concat(line, char(10)) as blob) as body
from (
    select json_array(
        :day, hour, seller, product, printf('%u', visitor), view,
        source, campaign, device, browser, os, seconds, :number
    ) as line
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
    order by seller, product, visitor
)
