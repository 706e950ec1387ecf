-- Retention, a bounded chunk at a time.
-- name: list_ended
-- The first to have ended go first.
SELECT number, id, status, workflow_name, workflow FROM executions INDEXED BY executions_by_end
WHERE completed_at IS NOT NULL AND keep_until IS NULL AND completed_at < ?1
  AND status IN ('completed', 'failed', 'cancelled')
ORDER BY completed_at, number LIMIT ?2;
-- name: list_outlived
-- Those that were to be kept until a time that has come.
SELECT number, id, status, workflow_name, workflow FROM executions INDEXED BY executions_by_keep
WHERE keep_until IS NOT NULL AND keep_until < ?1 AND status IN ('completed', 'failed', 'cancelled')
ORDER BY keep_until, number LIMIT ?2;
-- name: prune_journal
-- All that belongs to one execution goes with it.
DELETE FROM journal WHERE execution = ?1;
-- name: prune_snapshot
-- All that belongs to one execution goes with it.
DELETE FROM snapshots WHERE execution = ?1;
-- name: prune_timer
-- All that belongs to one execution goes with it.
DELETE FROM timers WHERE execution = ?1;
-- name: prune_logs
-- All that belongs to one execution goes with it.
DELETE FROM logs WHERE execution = ?1;
-- name: prune_blob_refs
-- The files follow in the sweep, when nothing else refers to them.
DELETE FROM blob_refs WHERE execution = ?1;
-- name: prune_inbox
-- Inputs that came too late.
DELETE FROM inbox WHERE execution = ?1;
-- name: prune_execution
-- Last, so that a half-done chunk could be seen.
DELETE FROM executions WHERE number = ?1;
-- name: prune_keys
-- Promises older than the retention of keys.
DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE at < ?1 ORDER BY at, key LIMIT ?2);
