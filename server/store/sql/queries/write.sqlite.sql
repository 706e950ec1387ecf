-- What a commit is made of.
-- name: find_epoch
-- The fence: who owns a shard now.
SELECT epoch FROM shards WHERE shard = ?1;
-- name: claim_shard
-- Shuts every earlier owner out, also those of a file that this one replaced.
INSERT INTO shards(shard, epoch, owner) VALUES (?1, (SELECT epoch FROM lineage) + 1, ?2)
ON CONFLICT(shard) DO UPDATE SET epoch = max(shards.epoch, (SELECT epoch FROM lineage)) + 1, owner = excluded.owner
RETURNING epoch;
-- name: add_version
-- A known hash is left as it is.
INSERT INTO versions(hash, name, document, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT(hash) DO NOTHING;
-- name: find_recorded
-- What the writer must know before it writes to an execution it has not in its cache.
SELECT number, status,
       (SELECT first_seq + count - 1 FROM journal WHERE execution = number ORDER BY first_seq DESC LIMIT 1), round,
       workflow_name, workflow
FROM executions WHERE id = ?1;
-- name: add_execution
-- The first summary fixes what the execution is.
INSERT INTO executions(id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code,
                       error_message, labels, parent, retry_of, round, workflow, workflow_version, keep_until)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16);
-- name: update_execution
-- Later summaries change only these.
UPDATE executions SET status = ?2, started_at = ?3, completed_at = ?4, error_code = ?5, error_message = ?6, labels = ?7,
                      round = ?8, keep_until = ?9
WHERE number = ?1;
-- name: append_journal_row
-- The hot path: one append to the table, one to its index.
INSERT INTO journal(execution, first_seq, count, at, chain, events) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
-- name: put_snapshot
-- Replaces the earlier one.
INSERT INTO snapshots(execution, seq, chain, state) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT(execution) DO UPDATE SET seq = excluded.seq, chain = excluded.chain, state = excluded.state;
-- name: put_timer
-- An execution has at most one wake-up.
INSERT INTO timers(execution, due) VALUES (?1, ?2) ON CONFLICT(execution) DO UPDATE SET due = excluded.due;
-- name: delete_timer
-- Nothing wakes it any more.
DELETE FROM timers WHERE execution = ?1;
-- name: add_idempotency_key
-- Asked for before, so that a taken key never gets here.
INSERT INTO idempotency(key, request, subject, at) VALUES (?1, ?2, ?3, ?4);
-- name: put_idempotency_key
-- Kept from now on for as long as a new one.
INSERT INTO idempotency(key, request, subject, at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT(key) DO UPDATE SET at = excluded.at;
-- name: add_inbox_entry
-- The number is never given twice.
INSERT INTO inbox(execution, input, at) VALUES (?1, ?2, ?3);
-- name: delete_inbox_entry
-- In the transaction that records what came of it.
DELETE FROM inbox WHERE number = ?1;
-- name: append_log_lines
-- The lines of one commit in one row; lines and rows are numbered within their execution.
INSERT INTO logs(execution, first_line, count, lines, number, after_seq)
SELECT ?1, coalesce(last.first_line + last.count, 0), ?2, ?3, coalesce(last.number, 0) + 1, ?4
FROM (SELECT 1) LEFT JOIN (SELECT first_line, count, number FROM logs WHERE execution = ?1
                           ORDER BY first_line DESC LIMIT 1) AS last;
-- name: add_blob_ref
-- Keeps the blob as long as the execution.
INSERT INTO blob_refs(execution, hash, size) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;
-- name: add_count
-- How many more executions there are now; fewer when it is negative.
INSERT INTO execution_counts(workflow, workflow_name, status, count) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO UPDATE SET count = count + excluded.count;
-- name: put_rollup
-- With everything that was counted into it before.
INSERT INTO rollups(workflow, hour, step, completed, failed, cancelled, retries, duration, queue_wait)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT DO UPDATE SET completed = excluded.completed, failed = excluded.failed, cancelled = excluded.cancelled,
                          retries = excluded.retries, duration = excluded.duration, queue_wait = excluded.queue_wait;
