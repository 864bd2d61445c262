-- The rows of a spool file of version 1: the view `groups` over the table `hits`. (SQLite)
--
-- out  first, last, visitors, hits as the table `groups` has them, a group for each row. Rows of a
--      forgotten seller had an empty one. With json(), because a bare text would be quoted once
--      more, and a pseudonym above 2^63 must stay the integer that it is.
create temp view groups as
select
    row as first,
    row as last,
    json_array(case when seller != '' then visitor end) as visitors,
    json_array(json(case when seller != '' then json_array(
        hour, seller, product, json(printf('%u', visitor)), view,
        source, campaign, device, browser, os, seconds
    ) end)) as hits
from main.hits
