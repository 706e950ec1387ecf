-- What the reading verbs ask. Every block that gives summaries gives the same sixteen columns.
-- name: find_version
-- By content.
SELECT hash, name, document, created_at FROM versions WHERE hash = ?1;
-- name: find_version_by_name
-- The newest that no workflow ever published; of two made at once the later arrival.
SELECT hash, name, document, created_at FROM versions
WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM published_versions WHERE published_versions.hash = versions.hash)
ORDER BY created_at DESC, number DESC LIMIT 1;
-- name: find_execution
-- One summary and the number that the other tables know it by.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round, workflow, workflow_version, keep_until, number
FROM executions WHERE id = ?1;
-- name: load_snapshot
-- At most one.
SELECT seq, chain, state FROM snapshots WHERE execution = ?1;
-- name: load_journal
-- The rows after an event number.
SELECT first_seq, count, at, chain, events FROM journal WHERE execution = ?1 AND first_seq > ?2 ORDER BY first_seq;
-- name: load_journal_page
-- From the row before the one that holds event ?2 to the one that holds event ?3.
SELECT first_seq, count, at, chain, events FROM journal WHERE execution = ?1 AND first_seq <= ?3 AND first_seq >= coalesce(
  (SELECT first_seq FROM journal WHERE execution = ?1 AND first_seq <= ?2 ORDER BY first_seq DESC LIMIT 1 OFFSET 1), 1)
ORDER BY first_seq;
-- name: count_events
-- The number of the last event.
SELECT first_seq + count - 1 FROM journal WHERE execution = ?1 ORDER BY first_seq DESC LIMIT 1;
-- name: load_timer
-- At most one.
SELECT due FROM timers WHERE execution = ?1;
-- name: list_due
-- Earliest first.
SELECT executions.id, timers.due FROM timers JOIN executions ON executions.number = timers.execution
WHERE timers.due <= ?1 ORDER BY timers.due, timers.execution LIMIT ?2;
-- name: find_next_due
-- For how long the timer wheel may sleep.
SELECT min(due) FROM timers WHERE due > ?1;
-- name: find_idempotency
-- Who took the key.
SELECT key, request, subject, at FROM idempotency WHERE key = ?1;
-- name: list_inbox
-- In the order of arrival.
SELECT number, execution, input, at FROM inbox ORDER BY number LIMIT ?1;
-- name: is_blob_referenced
-- One hit is enough.
SELECT 1 FROM blob_refs WHERE hash = ?1 LIMIT 1;
-- name: list_blobs
-- For the check that every file is there.
SELECT DISTINCT hash, size FROM blob_refs ORDER BY hash;
-- name: check_counts
-- Counts that are not what is there.
SELECT coalesce(sum(abs(difference)), 0) FROM (
  SELECT sum(number) AS difference FROM (
    SELECT workflow, workflow_name, status, count AS number FROM execution_counts
    UNION ALL
    SELECT coalesce(workflow, x''), workflow_name, status, -count(*) FROM executions GROUP BY 1, 2, 3)
  GROUP BY workflow, workflow_name, status);
-- name: check_journals
-- Executions whose journal has a gap or an overlap.
SELECT DISTINCT executions.id FROM executions JOIN (
  SELECT execution, first_seq,
         coalesce(lag(first_seq + count) OVER (PARTITION BY execution ORDER BY first_seq), 1) AS expected
  FROM journal) AS numbered ON numbered.execution = executions.number
WHERE numbered.first_seq <> numbered.expected LIMIT 100;
-- name: check_strays
-- Rows whose execution is gone, by table.
SELECT 'journal', count(*) FROM journal WHERE execution NOT IN (SELECT number FROM executions)
UNION ALL SELECT 'snapshots', count(*) FROM snapshots WHERE execution NOT IN (SELECT number FROM executions)
UNION ALL SELECT 'timers', count(*) FROM timers WHERE execution NOT IN (SELECT number FROM executions)
UNION ALL SELECT 'logs', count(*) FROM logs WHERE execution NOT IN (SELECT number FROM executions)
UNION ALL SELECT 'blob_refs', count(*) FROM blob_refs WHERE execution NOT IN (SELECT number FROM executions);
