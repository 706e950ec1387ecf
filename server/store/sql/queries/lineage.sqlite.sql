-- Lineage, backups and restores.
-- name: find_lineage
-- Which history this is, and the highest epoch that was claimed in it or must not be claimed again.
SELECT id, max(epoch, coalesce((SELECT max(epoch) FROM shards), 0)) FROM lineage;
-- name: raise_epoch
-- Every later claim is above ?1.
UPDATE lineage SET epoch = max(epoch, ?1);
-- name: begin_lineage
-- A history of its own from here on; every later claim is above ?1.
UPDATE lineage SET id = randomblob(16), epoch = max(epoch, ?1);
-- name: count_executions
-- All of them, those that have not ended, and those whose wake-up was due before ?1.
SELECT coalesce((SELECT sum(count) FROM execution_counts), 0),
       coalesce((SELECT sum(count) FROM execution_counts
                 WHERE status NOT IN ('completed', 'failed', 'cancelled')), 0),
       (SELECT count(*) FROM timers WHERE due < ?1);
