-- Take back what an interrupted restore of a day has put into counts.
--
-- in   seal: its number
alter table counts
delete where seal = {seal:UInt64}
settings mutations_sync = 2
