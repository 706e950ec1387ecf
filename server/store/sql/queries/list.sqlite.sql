-- Lists and counts of executions. A statement is a walk followed by what is done with its rows. A walk goes through the
-- numbers below ?1 along one index, newest first, and looks at ?2 rows at most, so that no condition can make it long;
-- its keys are ?3 to ?9.
-- name: walk_all
-- Every execution.
WITH walk(number) AS (SELECT number FROM executions WHERE number < ?1 ORDER BY number DESC LIMIT ?2)
-- name: walk_status
-- Those in one status.
WITH walk(number) AS (
  SELECT number FROM executions INDEXED BY executions_by_status
  WHERE status = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2)
-- name: walk_statuses
-- Those in any of several: a merge of as many walks along the index.
WITH walk(number) AS (
  SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?3 AND number < ?1
  UNION ALL SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?4 AND number < ?1
  UNION ALL SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?5 AND number < ?1
  UNION ALL SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?6 AND number < ?1
  UNION ALL SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?7 AND number < ?1
  UNION ALL SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?8 AND number < ?1
  UNION ALL SELECT number FROM executions INDEXED BY executions_by_status WHERE status = ?9 AND number < ?1
  ORDER BY 1 DESC LIMIT ?2)
-- name: walk_name
-- Those of workflows of one name.
WITH walk(number) AS (
  SELECT number FROM executions INDEXED BY executions_by_name
  WHERE workflow_name = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2)
-- name: walk_workflow
-- Those of one workflow.
WITH walk(number) AS (
  SELECT number FROM executions INDEXED BY executions_by_workflow
  WHERE workflow = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2)
-- name: walk_parent
-- The children of one execution.
WITH walk(number) AS (
  SELECT number FROM executions INDEXED BY executions_by_parent
  WHERE parent = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2)
-- name: walk_retries
-- The retries of one execution.
WITH walk(number) AS (
  SELECT number FROM executions INDEXED BY executions_by_retry
  WHERE retry_of = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2)
-- name: list_walk
-- The sixteen summary columns and the number of those that fit. CROSS JOIN keeps the order of the walk.
SELECT id, workflow_name, version_hash, status, trigger_name, started_at, completed_at, error_code, error_message,
       labels, parent, retry_of, round, workflow, workflow_version, keep_until, executions.number
FROM walk CROSS JOIN executions ON executions.number = walk.number
WHERE (?11 IS NULL OR instr(?11, ',' || status || ',') > 0)
  AND (?12 IS NULL OR workflow_name = ?12)
  AND (?13 IS NULL OR workflow = ?13)
  AND (?14 IS NULL OR trigger_name = ?14)
  AND (?15 IS NULL OR started_at >= ?15)
  AND (?16 IS NULL OR started_at < ?16)
  AND (?17 IS NULL OR parent = ?17)
  AND (?18 IS NULL OR retry_of = ?18)
  AND (?19 IS NULL OR instr(',' || substr(labels, 2, length(labels) - 2) || ',', ?19) > 0
                   OR instr(',' || substr(labels, 2, length(labels) - 2) || ',', ?20) > 0)
  AND (?21 IS NULL OR instr(lower(workflow_name), ?21) > 0 OR instr(lower(error_code), ?21) > 0
                   OR instr(lower(error_message), ?21) > 0 OR instr(lower(labels), ?21) > 0
                   OR instr(hex(id), ?22) > 0)
LIMIT ?10;
-- name: count_walk
-- How many fit, up to ?10.
SELECT count(*) FROM (
  SELECT 1 FROM walk CROSS JOIN executions ON executions.number = walk.number
  WHERE (?11 IS NULL OR instr(?11, ',' || status || ',') > 0)
    AND (?12 IS NULL OR workflow_name = ?12)
    AND (?13 IS NULL OR workflow = ?13)
    AND (?14 IS NULL OR trigger_name = ?14)
    AND (?15 IS NULL OR started_at >= ?15)
    AND (?16 IS NULL OR started_at < ?16)
    AND (?17 IS NULL OR parent = ?17)
    AND (?18 IS NULL OR retry_of = ?18)
    AND (?19 IS NULL OR instr(',' || substr(labels, 2, length(labels) - 2) || ',', ?19) > 0
                     OR instr(',' || substr(labels, 2, length(labels) - 2) || ',', ?20) > 0)
    AND (?21 IS NULL OR instr(lower(workflow_name), ?21) > 0 OR instr(lower(error_code), ?21) > 0
                     OR instr(lower(error_message), ?21) > 0 OR instr(lower(labels), ?21) > 0
                     OR instr(hex(id), ?22) > 0)
  LIMIT ?10);
-- name: end_of_walk
-- How far a walk went: the number of rows, and the last of them.
SELECT count(*), min(number) FROM walk;
-- name: count_by_status
-- Of all workflows together.
SELECT status, sum(count) FROM execution_counts GROUP BY status;
-- name: count_by_status_of_workflow
-- Of one workflow.
SELECT status, sum(count) FROM execution_counts WHERE workflow = ?1 GROUP BY status;
-- name: count_by_status_of_name
-- Of all workflows of one name.
SELECT status, sum(count) FROM execution_counts WHERE workflow_name = ?1 GROUP BY status;
-- name: find_rollup
-- One row.
SELECT workflow, step, hour, completed, failed, cancelled, retries, duration, queue_wait
FROM rollups WHERE workflow = ?1 AND hour = ?2 AND step = ?3;
-- name: list_rollups
-- Every workflow as a whole.
SELECT workflow, step, hour, completed, failed, cancelled, retries, duration, queue_wait
FROM rollups INDEXED BY rollups_by_hour WHERE step = '' AND hour >= ?1 AND hour < ?2 ORDER BY hour, workflow;
-- name: list_rollups_with_steps
-- Every workflow with its steps.
SELECT workflow, step, hour, completed, failed, cancelled, retries, duration, queue_wait
FROM rollups WHERE hour >= ?1 AND hour < ?2 ORDER BY hour, workflow, step;
-- name: list_rollups_of_workflow
-- One workflow; with its steps when ?4 is not 0.
SELECT workflow, step, hour, completed, failed, cancelled, retries, duration, queue_wait
FROM rollups WHERE workflow = ?3 AND hour >= ?1 AND hour < ?2 AND (?4 OR step = '') ORDER BY hour, step;
