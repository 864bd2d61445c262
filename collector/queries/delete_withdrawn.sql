-- Delete what was withdrawn from this day's hits; it is not counted any more already.
--
-- in   day
-- A mutation rewrites whole parts, so withdrawals are gathered for it. Its text, which the engine
-- keeps, names no visitor: it looks them up.
alter table hits
delete where day = {day:Date} and (seller, visitor, batch) in (
    select
        seller,
        visitor,
        batch
    from hits
    inner join (
        select seller, visitor, max(before_batch) as first_counted
        from erased
        where day = {day:Date}
        group by seller, visitor
    ) as withdrawn
    using (seller, visitor)
    where day = {day:Date}
      and batch < first_counted
)
