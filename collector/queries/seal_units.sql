-- How do each product's visitor-days divide in every dimension?
--
-- in   day; first, last: sellers; part, parts as in seal_totals
-- out  seller, product, dimension, value, visitors, seconds
--
-- A visitor of a product and day has one value in each dimension: from the lowest hour with a
-- view, there a named value before `direct` and `(other)`, then code-point order; so it doesn't
-- depend on which worker was first. The dimension `seconds` has those with a time report, and the
-- sum of their times.
select
    seller,
    product,
    said.1 as dimension,
    said.2 as value,
    count() as visitors,
    sum(said.3) as seconds
from (
    select
        seller,
        product,
        arrayJoin(arrayConcat(
            [
                ('source', min(said_source).3, 0),
                ('campaign', min(said_campaign).3, 0),
                ('device', min(said_device).3, 0),
                ('browser', min(said_browser).3, 0),
                ('os', min(said_os).3, 0),
                ('hour', toString(min(first_hour)), 0)
            ],
            if(sum(spent) > 0, [('seconds', '', toUInt64(sum(spent)))], [])
        )) as said
    from (
        select
            seller,
            product,
            visitor,
            if(view = 1, hour, 24) as first_hour,
            (first_hour, source in ('direct', '(other)', ''), toString(source)) as said_source,
            (first_hour, campaign in ('(other)', ''), toString(campaign)) as said_campaign,
            (first_hour, device = '(other)', toString(device)) as said_device,
            (first_hour, browser = '(other)', toString(browser)) as said_browser,
            (first_hour, os = '(other)', toString(os)) as said_os,
            if(view = 1, 0, seconds) as spent
        from visible_hits
        where day = {day:Date}
          and seller between {first:String} and {last:String}
          and visitor % {parts:UInt32} = {part:UInt32}
    )
    group by seller, product, visitor
    having min(first_hour) < 24
)
group by seller, product, dimension, value
order by seller, product, dimension, value
