-- Delete the rows of counts that are too old to keep.
--
-- in   cutoff, as in expired_count
alter table counts
delete where multiIf(
    period = 'week', least(toMonday(day) + 6, toLastDayOfMonth(day)),
    period = 'month', toLastDayOfMonth(day),
    day
) < {cutoff:Date}
settings mutations_sync = 2
