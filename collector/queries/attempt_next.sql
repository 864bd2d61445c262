-- Give up every attempt at this batch below this one.
--
-- in   batch, attempt
insert into attempts (batch, attempt)
select {batch:UInt64}, {attempt:UInt32}
