-- Pools: visitor-days that no close has published yet, as integers. Gone when their month closes.
--
-- period, start  the pool that they wait in: week or month, and its first day
-- value          of the dimension; '' in the dimension seconds, whose rows carry a sum of seconds
-- day            the day whose close put the row here; a pool is the sum of its days' rows
-- partition      small, and dropped whole: a pool when it is closed, a day's part when its close
--                is done again after a stop
create table if not exists pools (
    period LowCardinality(String),
    start Date,
    seller String,
    product String,
    dimension LowCardinality(String),
    value String,
    visitors UInt64,
    seconds UInt64,
    day Date
)
engine = MergeTree
partition by (period, start, day)
order by (seller, product, dimension, value)
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
