-- How does the server keep our tables?
--
-- in   nothing
-- out  name, engine, engine_full
select name, engine, engine_full
from system.tables
where database = currentDatabase()
  and name in ('attempts', 'counts', 'erased', 'hits', 'migrations', 'pools')
order by name
