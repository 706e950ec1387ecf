-- Workflows as people edit them, lists in the order of arrival, counts and rollups that are kept as things are written.
ALTER TABLE executions ADD COLUMN workflow BLOB;
ALTER TABLE executions ADD COLUMN workflow_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN keep_until INTEGER;
DROP INDEX executions_by_status;
DROP INDEX executions_by_workflow;
DROP INDEX executions_by_end;
CREATE INDEX executions_by_status ON executions(status);
CREATE INDEX executions_by_name ON executions(workflow_name);
CREATE INDEX executions_by_workflow ON executions(workflow) WHERE workflow IS NOT NULL;
CREATE INDEX executions_by_parent ON executions(parent) WHERE parent IS NOT NULL;
CREATE INDEX executions_by_retry ON executions(retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX executions_by_end ON executions(completed_at) WHERE completed_at IS NOT NULL AND keep_until IS NULL;
CREATE INDEX executions_by_keep ON executions(keep_until) WHERE keep_until IS NOT NULL;
CREATE TABLE execution_counts(
  workflow BLOB NOT NULL,
  workflow_name TEXT NOT NULL,
  status TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY(workflow, workflow_name, status)
) WITHOUT ROWID;
CREATE INDEX execution_counts_by_name ON execution_counts(workflow_name);
INSERT INTO execution_counts(workflow, workflow_name, status, count)
SELECT x'', workflow_name, status, count(*) FROM executions GROUP BY workflow_name, status;
ALTER TABLE idempotency RENAME COLUMN execution TO subject;
ALTER TABLE logs ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE logs ADD COLUMN after_seq INTEGER NOT NULL DEFAULT 0;
UPDATE logs SET number = numbered.number
FROM (SELECT rowid AS row, row_number() OVER (PARTITION BY execution ORDER BY first_line) AS number FROM logs) AS numbered
WHERE logs.rowid = numbered.row;
CREATE UNIQUE INDEX logs_by_number ON logs(execution, number);
CREATE TABLE workflows(
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  draft_hash TEXT NOT NULL,
  draft_valid INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  version_hash TEXT NOT NULL,
  newest_version INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  tags TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  search_text TEXT NOT NULL,
  draft TEXT NOT NULL
);
CREATE INDEX workflows_by_name ON workflows(name, id);
CREATE TABLE published_versions(
  workflow BLOB NOT NULL,
  number INTEGER NOT NULL,
  hash TEXT NOT NULL,
  published_by TEXT NOT NULL,
  note TEXT NOT NULL,
  published_at INTEGER NOT NULL,
  PRIMARY KEY(workflow, number)
) WITHOUT ROWID;
CREATE TABLE rollups(
  workflow TEXT NOT NULL,
  hour INTEGER NOT NULL,
  step TEXT NOT NULL,
  completed INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  retries INTEGER NOT NULL,
  duration TEXT NOT NULL,
  queue_wait TEXT NOT NULL,
  PRIMARY KEY(workflow, hour, step)
) WITHOUT ROWID;
CREATE INDEX rollups_by_hour ON rollups(hour) WHERE step = '';
