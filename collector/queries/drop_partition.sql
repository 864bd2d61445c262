-- Drop one partition of a table, whole; one that isn't there is no error.
--
-- in   name: the table's; id: the partition's, as the engine names it in directories
alter table {name:Identifier} drop partition id {id:String}
