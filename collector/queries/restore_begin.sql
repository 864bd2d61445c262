-- Make the place in which a backup's rows wait while a restore looks at them.
create table if not exists restored as counts
