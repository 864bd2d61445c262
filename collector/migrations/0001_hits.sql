-- Hits: one row per counted beacon of a day that is not sealed yet. Pseudonymous personal data.
--
-- partition   one a day, so that the day's close drops it whole
-- order by    never the hash: the primary index holds its keys in clear
-- codec       random bytes don't compress, and the search that proves their absence must see them
-- fsync       a part is on disk, with its directory entry, before an insert or a merge is answered
-- old parts   replaced parts hold the same hashes; a merged part is fsynced, so they can go at once;
--             left alone the engine looks for them every 30 seconds or more
create table if not exists hits (
    day Date,
    hour UInt8,
    seller String,
    product String,
    visitor UInt64 codec(NONE),
    view UInt8,
    source LowCardinality(String),
    campaign LowCardinality(String),
    device LowCardinality(String),
    browser LowCardinality(String),
    os LowCardinality(String),
    seconds UInt16,
    batch UInt64
)
engine = MergeTree
partition by day
order by (seller, product)
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
