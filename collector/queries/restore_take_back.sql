-- Take back what an interrupted restore of a day has put into counts.
--
-- in   closed: the day; seal: its number, which another day may have had before a ledger was lost
alter table counts
delete where seal = {seal:UInt64}
  and closed = {closed:Date}
settings mutations_sync = 2
