-- Attempts: a fence around batches in doubt, at a ClickHouse server only.
--
-- An insert that timed out may still lie in the server's sockets and run minutes later. Every
-- attempt names a number and inserts nothing unless that is the batch's highest one here; who
-- doubts a batch raises it first. Holds numbers only.
create table if not exists attempts (
    batch UInt64,
    attempt UInt32
)
engine = MergeTree
order by batch
settings
    non_replicated_deduplication_window = 0,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    min_compressed_bytes_to_fsync_after_merge = 1
