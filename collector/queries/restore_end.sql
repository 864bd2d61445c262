-- Remove the place in which a backup's rows waited.
drop table if exists restored sync
