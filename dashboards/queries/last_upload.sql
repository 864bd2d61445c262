-- What number had the last upload of the marketplace's own counts?
--
-- in   nothing
-- out  number; 0 before the first
select max(seal) as number
from counts
where dimension in ('orders', 'page_views')
