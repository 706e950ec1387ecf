-- What the reading verbs ask. Every block that gives summaries gives the same thirteen columns.
-- name: find_version
-- By content.
SELECT hash, name, document, created_at FROM versions WHERE hash = ?1;
-- name: find_version_by_name
-- The newest; of two made at once the later arrival.
SELECT hash, name, document, created_at FROM versions WHERE name = ?1 ORDER BY created_at DESC, number DESC LIMIT 1;
-- name: find_execution
-- One summary and the number that the other tables know it by.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round, number
FROM executions WHERE id = ?1;
-- name: load_snapshot
-- At most one.
SELECT seq, chain, state FROM snapshots WHERE execution = ?1;
-- name: load_journal
-- The rows after an event number.
SELECT first_seq, count, at, chain, events FROM journal WHERE execution = ?1 AND first_seq > ?2 ORDER BY first_seq;
-- name: load_timer
-- At most one.
SELECT due FROM timers WHERE execution = ?1;
-- name: list_executions
-- All of them, newest first.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions WHERE id < ?1 ORDER BY id DESC LIMIT ?2;
-- name: list_executions_by_workflow
-- Of one workflow; with a status given (?4) only those.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions INDEXED BY executions_by_workflow
WHERE workflow_name = ?3 AND id < ?1 AND (?4 IS NULL OR status = ?4) ORDER BY id DESC LIMIT ?2;
-- name: list_executions_by_status
-- In one status; with a workflow given (?3) only its own.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions INDEXED BY executions_by_status
WHERE status = ?4 AND id < ?1 AND (?3 IS NULL OR workflow_name = ?3) ORDER BY id DESC LIMIT ?2;
-- name: list_unfinished
-- A merge of four walks along the status index: finished executions cost nothing, however many there are.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions WHERE status = 'pending' AND id < ?1 AND (?3 IS NULL OR workflow_name = ?3)
UNION ALL
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions WHERE status = 'running' AND id < ?1 AND (?3 IS NULL OR workflow_name = ?3)
UNION ALL
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions WHERE status = 'waiting' AND id < ?1 AND (?3 IS NULL OR workflow_name = ?3)
UNION ALL
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round
FROM executions WHERE status = 'paused' AND id < ?1 AND (?3 IS NULL OR workflow_name = ?3)
ORDER BY 1 DESC LIMIT ?2;
-- name: list_due
-- Earliest first.
SELECT executions.id, timers.due FROM timers JOIN executions ON executions.number = timers.execution
WHERE timers.due <= ?1 ORDER BY timers.due, timers.execution LIMIT ?2;
-- name: find_next_due
-- For how long the timer wheel may sleep.
SELECT min(due) FROM timers WHERE due > ?1;
-- name: find_idempotency
-- Who took the key.
SELECT key, request, execution, at FROM idempotency WHERE key = ?1;
-- name: list_inbox
-- In the order of arrival.
SELECT number, execution, input, at FROM inbox ORDER BY number LIMIT ?1;
-- name: list_log
-- The row that holds the line ?2, and those after it.
SELECT logs.first_line, logs.lines FROM executions JOIN logs ON logs.execution = executions.number
WHERE executions.id = ?1
  AND logs.first_line >= coalesce((SELECT max(l.first_line) FROM logs AS l
                                   WHERE l.execution = executions.number AND l.first_line <= ?2), 0)
ORDER BY logs.first_line;
-- name: is_blob_referenced
-- One hit is enough.
SELECT 1 FROM blob_refs WHERE hash = ?1 LIMIT 1;
-- name: list_blobs
-- For the check that every file is there.
SELECT DISTINCT hash, size FROM blob_refs ORDER BY hash;
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
