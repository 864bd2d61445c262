-- Drop what was detached of one partition of a table, broken parts too.
--
-- in   name: the table's; id: the partition's, as the engine names it in directories
alter table {name:Identifier} drop detached partition id {id:String}
settings allow_drop_detached = 1
