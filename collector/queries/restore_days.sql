-- Of which days' closes does the backup hold rows, and whose?
--
-- in   uploads_from: from this seal on a row was uploaded and not counted by a close
-- out  closed; sellers
select
    closed,
    groupUniqArray(seller) as sellers
from restored
where seal < {uploads_from:UInt64}
group by closed
order by closed
