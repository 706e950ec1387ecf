-- Events, and who waits for them.
-- name: add_event
-- One that is there already is the same one.
INSERT INTO events(id, name, key, data, source, root, depth, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT(id) DO NOTHING;
-- name: list_unhandled_events
-- Oldest first.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events
WHERE handled_at IS NULL ORDER BY number LIMIT ?1;
-- name: list_events
-- Newest first.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events
WHERE number < ?1 ORDER BY number DESC LIMIT ?2;
-- name: list_events_of_name
-- Newest first, by its own index.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events
WHERE name = ?3 AND number < ?1 ORDER BY number DESC LIMIT ?2;
-- name: list_events_of_key
-- Newest first, by its own index.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events
WHERE name = ?3 AND key = ?4 AND number < ?1 ORDER BY number DESC LIMIT ?2;
-- name: find_event
-- By the id that its publisher got.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events WHERE id = ?1;
-- name: list_events_since
-- Oldest first, with any key.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events
WHERE name = ?1 AND at >= ?2 ORDER BY number LIMIT ?3;
-- name: list_keyed_events_since
-- Oldest first, with this key.
SELECT number, id, name, key, data, source, root, depth, at, handled_at, started, outcome FROM events
WHERE name = ?1 AND key = ?4 AND at >= ?2 ORDER BY number LIMIT ?3;
-- name: count_event_starts
-- What a chain of events has cost so far.
SELECT coalesce(sum(started), 0) FROM events WHERE root = ?1;
-- name: handle_event
-- It has been handed out.
UPDATE events SET handled_at = ?2, started = ?3, outcome = ?4 WHERE number = ?1;
-- name: prune_events
-- Old ones that were handed out, a chunk at a time.
DELETE FROM events WHERE handled_at IS NOT NULL AND at < ?1
  AND number IN (SELECT number FROM events ORDER BY number LIMIT ?2);
-- name: add_event_wait
-- A task waits once.
INSERT INTO event_waits(execution, task, name, key, since, taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT(execution, task) DO UPDATE SET name = excluded.name, key = excluded.key, since = excluded.since,
                                           taken = excluded.taken, looked_back = 0;
-- name: delete_event_wait
-- It waits no longer.
DELETE FROM event_waits WHERE execution = ?1 AND task = ?2;
-- name: list_event_waits
-- Those that an event with this name and key ends.
SELECT execution, task, name, key, since, taken FROM event_waits WHERE name = ?1 AND key IN ('', ?2)
ORDER BY execution, task LIMIT ?3;
-- name: list_new_event_waits
-- In no order anybody relies on.
SELECT execution, task, name, key, since, taken FROM event_waits WHERE looked_back = 0 LIMIT ?1;
-- name: end_looking_back
-- Earlier events have been found for it.
UPDATE event_waits SET looked_back = 1 WHERE execution = ?1 AND task = ?2;
-- name: prune_event_waits
-- All that belongs to one execution goes with it.
DELETE FROM event_waits WHERE execution = ?1;
