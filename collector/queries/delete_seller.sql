-- Delete a seller's rows from a table.
--
-- in   name: counts, pools, hits or erased; seller
alter table {name:Identifier}
delete where seller = {seller:String}
settings mutations_sync = 2
