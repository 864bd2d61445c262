-- How do the visitors of days that are over and not sealed yet divide in one dimension?
--
-- in   seller; limited, products; days; mark; by: source, campaign, device, browser, os or hour
-- out  day, product, value, visitors. A visitor of a product and day has one value: from the
--      lowest hour, there a named value before `direct` and `(other)`, then code-point order.
--      The caller holds back what is below the minimum.
select
    day,
    product,
    value,
    count() as visitors
from (
    select
        day,
        product,
        visitor,
        argMin(said, (hour, said in ('direct', '(other)', ''), said)) as value
    from (
        select
            day,
            product,
            visitor,
            hour,
            multiIf(
                {by:String} = 'source', toString(source),
                {by:String} = 'campaign', toString(campaign),
                {by:String} = 'device', toString(device),
                {by:String} = 'browser', toString(browser),
                {by:String} = 'os', toString(os),
                toString(hour)
            ) as said
        from visible_hits
        where day in {days:Array(Date)}
          and seller = {seller:String}
          and ({limited:UInt8} = 0 or product in {products:Array(String)})
          and batch <= {mark:UInt64}
          and view = 1
    )
    group by day, product, visitor
)
group by day, product, value
order by day, product, value
