-- Which parts of a table does the engine still know of, in use or not, detached ones too?
--
-- in   name: the table's; id: the partition's, as the engine names it in directories
-- out  name of the part
select name
from system.parts
where database = currentDatabase()
  and table = {name:String}
  and partition_id = {id:String}
union all
select name
from system.detached_parts
where database = currentDatabase()
  and table = {name:String}
  and partition_id = {id:String}
