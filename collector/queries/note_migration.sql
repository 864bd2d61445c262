-- Note that a migration begins (done = 0) or has finished (done = 1).
--
-- in   number, done
insert into migrations (number, done)
select {number:UInt32}, {done:UInt8}
