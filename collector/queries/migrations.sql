-- Where the schema keeps its own number; made before everything else.
--
-- A migration is noted with done = 0 before it runs and with done = 1 after it.
create table if not exists migrations (
    number UInt32,
    done UInt8
)
engine = MergeTree
order by number
settings
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1
