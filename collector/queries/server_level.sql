-- How much does the server write into its own log? Older versions don't tell.
--
-- in   nothing
-- out  value, at most one
select value
from system.server_settings
where name = 'logger.level'
