-- What do settings amount to for us, after the user's profile and its constraints?
--
-- in   nothing
-- out  name, value; as text
select name, value
from system.settings
