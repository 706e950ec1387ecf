-- The logs of executions, read a row (one commit's lines) at a time.
-- name: count_log_batches
-- The number of the last one.
SELECT number FROM logs WHERE execution = ?1 ORDER BY number DESC LIMIT 1;
-- name: list_log
-- The row that holds line ?2, counted from 0, and those after it.
SELECT logs.number, logs.after_seq, logs.first_line, logs.lines
FROM executions JOIN logs ON logs.execution = executions.number
WHERE executions.id = ?1
  AND logs.first_line >= coalesce((SELECT max(l.first_line) FROM logs AS l
                                   WHERE l.execution = executions.number AND l.first_line <= ?2), 0)
ORDER BY logs.first_line;
-- name: list_log_backwards
-- The same rows, newest first.
SELECT logs.number, logs.after_seq, logs.first_line, logs.lines
FROM executions JOIN logs ON logs.execution = executions.number
WHERE executions.id = ?1
  AND logs.first_line >= coalesce((SELECT max(l.first_line) FROM logs AS l
                                   WHERE l.execution = executions.number AND l.first_line <= ?2), 0)
ORDER BY logs.first_line DESC;
-- name: list_log_batches
-- Those after number ?2.
SELECT logs.number, logs.after_seq, logs.first_line, logs.lines
FROM executions JOIN logs ON logs.execution = executions.number
WHERE executions.id = ?1 AND logs.number > ?2 ORDER BY logs.number LIMIT ?3;
