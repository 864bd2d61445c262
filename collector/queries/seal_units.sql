-- How do each product's visitor-days divide in every dimension?
--
-- in   day; first, last: sellers; part, parts as in seal_totals
-- out  page: the product's key in seal_totals; said: a digit for the dimension (0 source,
--      1 campaign, 2 device, 3 browser, 4 os, 5 hour, 6 seconds) and the value; visitors; seconds,
--      0 but for the last dimension
--
-- A visitor of a product and day has one value in each dimension: from the lowest hour with a
-- view, there a named value before `direct` and `(other)`, then code-point order; so it doesn't
-- depend on which worker was first. Each row is said as hour, name or not, value: the smallest of
-- these is the visitor's. The key of a page is short because ten million rows are grouped by it.
select
    page,
    said,
    count() as visitors,
    sumIf(spent, said = '6') as seconds
from (
    select
        page,
        sum(spent_now) as spent,
        arrayJoin(arrayConcat(
            [
                concat('0', substring(min(from_source), 3)),
                concat('1', substring(min(from_campaign), 3)),
                concat('2', substring(min(from_device), 3)),
                concat('3', substring(min(from_browser), 3)),
                concat('4', substring(min(from_os), 3)),
                concat('5', toString(min(at_hour)))
            ],
            if(sum(spent_now) > 0, ['6'], [])
        )) as said
    from (
        select
            sipHash128(seller, product) as page,
            visitor,
            if(view = 1, hour, 24) as at_hour,
            if(view = 1, 0, toUInt64(seconds)) as spent_now,
            concat(char(at_hour), if(source in ('direct', '(other)', ''), '1', '0'), source)
                as from_source,
            concat(char(at_hour), if(campaign in ('(other)', ''), '1', '0'), campaign)
                as from_campaign,
            concat(char(at_hour), if(device = '(other)', '1', '0'), device) as from_device,
            concat(char(at_hour), if(browser = '(other)', '1', '0'), browser) as from_browser,
            concat(char(at_hour), if(os = '(other)', '1', '0'), os) as from_os
        from visible_hits
        where day = {day:Date}
          and seller between {first:String} and {last:String}
          and visitor % {parts:UInt32} = {part:UInt32}
    )
    group by page, visitor
    having min(at_hour) < 24
)
group by page, said
