-- A spool file's hits, a row each: the view `hits` over the table `groups`. (SQLite)
--
-- out  row, and the fields of a hit in their order; the visitor signed, whose number the visitors'
--      list has exactly. A blanked hit is null but for its row.
create temp view hits as
select
    groups.first + each.key as row,
    json_extract(groups.hits, '$[' || each.key || '][0]') as hour,
    json_extract(groups.hits, '$[' || each.key || '][1]') as seller,
    json_extract(groups.hits, '$[' || each.key || '][2]') as product,
    each.value as visitor,
    json_extract(groups.hits, '$[' || each.key || '][4]') as view,
    json_extract(groups.hits, '$[' || each.key || '][5]') as source,
    json_extract(groups.hits, '$[' || each.key || '][6]') as campaign,
    json_extract(groups.hits, '$[' || each.key || '][7]') as device,
    json_extract(groups.hits, '$[' || each.key || '][8]') as browser,
    json_extract(groups.hits, '$[' || each.key || '][9]') as os,
    json_extract(groups.hits, '$[' || each.key || '][10]') as seconds
from main.groups, json_each(groups.visitors) as each
