-- Erased: whose hits must not be counted any more. Pseudonymous personal data, gone with the day.
--
-- A visitor's hits of that day and seller in batches below before_batch are withdrawn; the ones in
-- later batches came after consent was given again. A row may stand here twice: it says the same.
create table if not exists erased (
    day Date,
    seller String,
    visitor UInt64 codec(NONE),
    before_batch UInt64
)
engine = MergeTree
partition by day
order by seller
settings
    non_replicated_deduplication_window = 0,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1,
    old_parts_lifetime = 1,
    cleanup_delay_period = 1,
    cleanup_delay_period_random_add = 0,
    max_cleanup_delay_period = 2
