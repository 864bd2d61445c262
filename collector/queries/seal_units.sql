-- How do each product's visitor-days divide in every dimension?
--
-- in   day; first, last: sellers; part, parts as in seal_totals
-- out  page: the product's key in seal_totals; said: a digit for the dimension (0 source,
--      1 campaign, 2 device, 3 browser, 4 os, 5 hour, 6 seconds) and the value; visitors, seconds
--
-- A visitor of a product and day has one value in each dimension: from the lowest hour with a
-- view, there a named value before `direct` and `(other)`, then code-point order; so it doesn't
-- depend on which worker was first. Each row is said as hour, name or not, value: the smallest of
-- these is the visitor's. Keys of 24 bytes and one map a product took a sixth of the time that
-- strings and a row for every dimension did.
select
    page,
    pair.1 as said,
    pair.2 as visitors,
    if(said = '6', spent, 0) as seconds
from (
    select
        page,
        sumMap(
            [
                concat('0', substring(first_source, 3)),
                concat('1', substring(first_campaign, 3)),
                concat('2', substring(first_device, 3)),
                concat('3', substring(first_browser, 3)),
                concat('4', substring(first_os, 3)),
                concat('5', toString(first_hour)),
                '6'
            ],
            [1, 1, 1, 1, 1, 1, toUInt64(unit_spent > 0)]
        ) as divided,
        sum(unit_spent) as spent
    from (
        select
            page,
            visitor,
            min(at_hour) as first_hour,
            min(concat(char(at_hour), if(source in ('direct', '(other)', ''), '1', '0'), source))
                as first_source,
            min(concat(char(at_hour), if(campaign in ('(other)', ''), '1', '0'), campaign))
                as first_campaign,
            min(concat(char(at_hour), if(device = '(other)', '1', '0'), device)) as first_device,
            min(concat(char(at_hour), if(browser = '(other)', '1', '0'), browser))
                as first_browser,
            min(concat(char(at_hour), if(os = '(other)', '1', '0'), os)) as first_os,
            sum(spent_now) as unit_spent
        from (
            select
                sipHash128(seller, product) as page,
                visitor,
                if(view = 1, hour, 24) as at_hour,
                if(view = 1, 0, toUInt64(seconds)) as spent_now,
                source,
                campaign,
                device,
                browser,
                os
            from visible_hits
            where day = {day:Date}
              and seller between {first:String} and {last:String}
              and visitor % {parts:UInt32} = {part:UInt32}
        )
        group by page, visitor
        having first_hour < 24
    )
    group by page
)
array join arrayZip(divided.1, divided.2) as pair
where visitors > 0
