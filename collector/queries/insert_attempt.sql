-- Insert a batch unless this attempt was given up; the rows follow as JSONCompactEachRow.
--
-- in   batch, attempt; the text 'this batch' is replaced by one that names it, to be found among the
--      running queries, whose parameters a server doesn't show
insert into hits (
    day, batch, hour, seller, product, visitor, view,
    source, campaign, device, browser, os, seconds
)
select
    day, batch, hour, seller, product, visitor, view,
    source, campaign, device, browser, os, seconds
from input('
    day Date, batch UInt64, hour UInt8, seller String, product String, visitor UInt64, view UInt8,
    source String, campaign String, device String, browser String, os String, seconds UInt16
')
where 'this batch' != ''
  and {attempt:UInt32} = (select max(attempt) from attempts where batch = {batch:UInt64})
format JSONCompactEachRow
