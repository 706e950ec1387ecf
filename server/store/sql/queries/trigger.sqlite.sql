-- What triggers leave behind besides ticks.
-- name: put_hook_request
-- Numbers are the caller's.
INSERT OR REPLACE INTO hook_requests(number, workflow, trigger, at, record) VALUES (?1, ?2, ?3, ?4, ?5);
-- name: trim_hook_requests
-- All but the newest of one webhook.
DELETE FROM hook_requests WHERE number IN (
  SELECT number FROM hook_requests WHERE workflow = ?1 AND trigger = ?2 ORDER BY number DESC LIMIT -1 OFFSET ?3);
-- name: list_hook_requests
-- Newest first.
SELECT number, workflow, trigger, at, record FROM hook_requests
WHERE workflow = ?1 AND trigger = ?2 ORDER BY number DESC LIMIT ?3;
-- name: last_hook_request
-- Of any webhook.
SELECT coalesce(max(number), 0) FROM hook_requests;
-- name: prune_hook_requests
-- They were numbered as they came, so that a bounded look at the first is enough.
DELETE FROM hook_requests WHERE number IN (
  SELECT number FROM (SELECT number, at FROM hook_requests ORDER BY number LIMIT ?2) WHERE at < ?1);
-- name: put_schedule_state
-- The last word stands.
INSERT OR REPLACE INTO schedule_states(workflow, trigger, paused, note, changed_by, changed_at, execution)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);
-- name: list_schedule_states
-- By workflow and trigger.
SELECT workflow, trigger, paused, note, changed_by, changed_at, execution FROM schedule_states ORDER BY workflow, trigger;
-- name: has_started_tick
-- Has it an execution?
SELECT 1 FROM ticks WHERE workflow = ?1 AND trigger = ?2 AND tick = ?3 AND execution IS NOT NULL;
-- name: take_over_tick
-- One that started nothing may still start something.
INSERT INTO ticks(workflow, trigger, tick, outcome, reason, execution, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT(workflow, trigger, tick) DO UPDATE
SET outcome = excluded.outcome, reason = excluded.reason, execution = excluded.execution, decided_at = excluded.decided_at
WHERE ticks.execution IS NULL;
