-- How many rows of a table belong to a seller?
--
-- in   name: counts, pools, hits or erased; seller
-- out  one number
select count()
from {name:Identifier}
where seller = {seller:String}
