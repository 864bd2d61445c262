-- Visible hits: the hits that count. Whoever counts reads this and never hits.
--
-- Nearly every hit passes the first branch, one look-up in a small set. The second branch weighs
-- the batch of those who withdrew and came back. One join for both cost five times as much over
-- ten million hits.
create view if not exists visible_hits as
select
    day, hour, seller, product, visitor, view,
    source, campaign, device, browser, os, seconds, batch
from hits
where visitor not in (select visitor from erased)
union all
select
    day, hour, seller, product, visitor, view,
    source, campaign, device, browser, os, seconds, batch
from (
    select * from hits where visitor in (select visitor from erased)
) as suspect
left any join (
    select day, seller, visitor, max(before_batch) as first_counted
    from erased
    group by day, seller, visitor
) as withdrawn
using (day, seller, visitor)
where suspect.batch >= withdrawn.first_counted
settings join_use_nulls = 0
