-- Whose uploads does the backup hold?
--
-- in   uploads_from as in restore_days
-- out  seller
select distinct seller
from restored
where seal >= {uploads_from:UInt64}
order by seller
