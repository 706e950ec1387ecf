-- How connections are set up and looked after.
-- name: create_file
-- Settings that only count before the first table exists.
PRAGMA page_size = 4096;
PRAGMA auto_vacuum = INCREMENTAL;
-- name: configure
-- For every connection. No mmap: a disk error would be a signal, not a return code.
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA mmap_size = 0;
PRAGMA temp_store = MEMORY;
-- name: configure_writer
-- One connection writes and checkpoints, so it alone keeps the WAL short.
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = 33554432;
PRAGMA cache_size = -8192;
PRAGMA secure_delete = OFF;
-- name: configure_reader
-- Readers never write and never checkpoint.
PRAGMA query_only = ON;
PRAGMA wal_autocheckpoint = 0;
PRAGMA cache_size = -4096;
-- name: use_wal
-- Answers `wal` when it is in force.
PRAGMA journal_mode = WAL;
-- name: synchronous_full
-- Every commit is on the disk before it returns.
PRAGMA synchronous = FULL;
-- name: synchronous_normal
-- Commits of the last seconds are lost in a power cut; for measurements only.
PRAGMA synchronous = NORMAL;
-- name: get_synchronous
-- 2 is FULL.
PRAGMA synchronous;
-- name: get_user_version
-- The number of the last migration.
PRAGMA user_version;
-- name: set_user_version
-- Completed with the number by the code: a PRAGMA takes no parameters.
PRAGMA user_version =
-- name: read_schema
-- Fails when the file is no database.
SELECT count(*) FROM sqlite_schema;
-- name: begin_write
-- Takes the write lock at once.
BEGIN IMMEDIATE;
-- name: begin_read
-- One snapshot for the reads of one verb.
BEGIN;
-- name: commit
-- Durable when it returns.
COMMIT;
-- name: rollback
-- Leaves the transaction without a trace.
ROLLBACK;
-- name: check_integrity
-- One row `ok`, or up to 100 sentences.
PRAGMA integrity_check(100);
-- name: count_free_pages
-- Pages that incremental_vacuum can give back.
PRAGMA freelist_count;
-- name: vacuum_some
-- Gives back at most 4 MB at a time.
PRAGMA incremental_vacuum(1000);
