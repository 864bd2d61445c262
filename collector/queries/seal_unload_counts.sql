-- Remove what an interrupted try of this seal left in counts. Nobody reads it yet.
--
-- in   seal; day: the one that was closed, because seals are numbered anew when a ledger was lost;
--      earliest: the first day of its earliest period
alter table counts
delete where seal = {seal:UInt64}
  and closed = {day:Date}
  and day >= {earliest:Date}
settings mutations_sync = 2
