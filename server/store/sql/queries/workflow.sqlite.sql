-- Workflows and their versions. Every block that gives records gives the same fifteen columns.
-- name: find_workflow
-- A deleted one too.
SELECT id, name, draft_hash, draft_valid, revision, version, version_hash, newest_version, enabled, tags, created_by,
       created_at, updated_at, deleted_at, draft
FROM workflows WHERE id = ?1;
-- name: find_recorded_workflow
-- What the writer must know before it changes one.
SELECT revision, newest_version FROM workflows WHERE id = ?1;
-- name: list_workflows
-- Newest first; ?3 is looked for in the text, ?4 in the tags, ?5 is a status.
SELECT id, name, draft_hash, draft_valid, revision, version, version_hash, newest_version, enabled, tags, created_by,
       created_at, updated_at, deleted_at, draft
FROM workflows
WHERE id < ?1 AND deleted_at IS NULL
  AND (?3 IS NULL OR instr(search_text, ?3) > 0)
  AND (?4 IS NULL OR instr(',' || substr(tags, 2, length(tags) - 2) || ',', ?4) > 0)
  AND (?5 IS NULL OR ?5 = CASE WHEN NOT enabled THEN 'disabled' WHEN version > 0 THEN 'published' ELSE 'draft' END)
ORDER BY id DESC LIMIT ?2;
-- name: count_workflows
-- All that fit.
SELECT count(*) FROM workflows
WHERE deleted_at IS NULL
  AND (?3 IS NULL OR instr(search_text, ?3) > 0)
  AND (?4 IS NULL OR instr(',' || substr(tags, 2, length(tags) - 2) || ',', ?4) > 0)
  AND (?5 IS NULL OR ?5 = CASE WHEN NOT enabled THEN 'disabled' WHEN version > 0 THEN 'published' ELSE 'draft' END);
-- name: put_workflow
-- The whole record.
INSERT INTO workflows(id, name, draft_hash, draft_valid, revision, version, version_hash, newest_version, enabled, tags,
                      created_by, created_at, updated_at, deleted_at, search_text, draft)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
ON CONFLICT(id) DO UPDATE SET
  name = excluded.name, draft_hash = excluded.draft_hash, draft_valid = excluded.draft_valid, revision = excluded.revision,
  version = excluded.version, version_hash = excluded.version_hash, newest_version = excluded.newest_version,
  enabled = excluded.enabled, tags = excluded.tags, created_by = excluded.created_by, created_at = excluded.created_at,
  updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, search_text = excluded.search_text,
  draft = excluded.draft;
-- name: add_published
-- A version never changes.
INSERT INTO published_versions(workflow, number, hash, published_by, note, published_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
-- name: find_published
-- One version.
SELECT workflow, number, hash, published_by, note, published_at FROM published_versions
WHERE workflow = ?1 AND number = ?2;
-- name: list_published
-- Newest first.
SELECT workflow, number, hash, published_by, note, published_at FROM published_versions
WHERE workflow = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3;
-- name: find_named_by_id
-- What the workflow with that id stands for: the published version, or the draft when nothing is published.
SELECT versions.hash, versions.name, versions.document, versions.created_at, workflows.id, workflows.version
FROM workflows JOIN versions ON versions.hash = workflows.version_hash
WHERE workflows.id = ?1 AND workflows.deleted_at IS NULL AND workflows.version > 0
UNION ALL
SELECT draft_hash, name, draft, updated_at, id, 0 FROM workflows
WHERE id = ?1 AND deleted_at IS NULL AND version = 0 AND draft_valid;
-- name: find_named_by_name
-- The same for the newest workflow of that name that stands for anything.
SELECT versions.hash, versions.name, versions.document, versions.created_at, workflows.id, workflows.version
FROM workflows JOIN versions ON versions.hash = workflows.version_hash
WHERE workflows.name = ?1 AND workflows.enabled AND workflows.deleted_at IS NULL AND workflows.version > 0
UNION ALL
SELECT draft_hash, name, draft, updated_at, id, 0 FROM workflows
WHERE name = ?1 AND enabled AND deleted_at IS NULL AND version = 0 AND draft_valid
ORDER BY 5 DESC LIMIT 1;
-- name: put_task_type
-- What a worker registered.
INSERT INTO task_types(type, spec, registered_at) VALUES (?1, ?2, ?3)
ON CONFLICT(type) DO UPDATE SET spec = excluded.spec, registered_at = excluded.registered_at;
-- name: list_task_types
-- By name.
SELECT type, spec, registered_at FROM task_types ORDER BY type;
-- name: add_tick
-- What became of a tick; the first word stands.
INSERT INTO ticks(workflow, trigger, tick, outcome, reason, execution, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT(workflow, trigger, tick) DO NOTHING;
-- name: has_tick
-- Is it decided?
SELECT 1 FROM ticks WHERE workflow = ?1 AND trigger = ?2 AND tick = ?3;
-- name: list_ticks
-- Newest first.
SELECT workflow, trigger, tick, outcome, reason, execution, decided_at FROM ticks
WHERE workflow = ?1 AND trigger = ?2 AND tick < ?3 ORDER BY tick DESC LIMIT ?4;
-- name: trim_ticks
-- All but the newest.
DELETE FROM ticks WHERE workflow = ?1 AND trigger = ?2 AND tick <= (
  SELECT tick FROM ticks WHERE workflow = ?1 AND trigger = ?2 ORDER BY tick DESC LIMIT 1 OFFSET ?3);
