-- Put back what the marketplace uploaded, where it isn't here.
--
-- in   uploads_from as in restore_days; gone: forgotten sellers
insert into counts
select
    day,
    period,
    seller,
    product,
    dimension,
    value,
    visitors,
    views,
    seconds,
    closed,
    seal
from restored
where seal >= {uploads_from:UInt64}
  and seller not in {gone:Array(String)}
  and (day, seller, product, dimension, seal) not in (
    select
        day,
        seller,
        product,
        dimension,
        seal
    from counts
    where seal >= {uploads_from:UInt64}
  )
