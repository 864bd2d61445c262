-- Which tables of the server's own keep texts of statements, or what a thread was doing?
--
-- in   nothing
-- out  name
select name
from system.tables
where database = 'system'
  and name in (
    'asynchronous_insert_log', 'opentelemetry_span_log', 'processors_profile_log',
    'query_thread_log', 'query_views_log', 'session_log', 'text_log', 'trace_log'
  )
order by name
