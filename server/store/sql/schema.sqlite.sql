-- The whole schema after all migrations; a test proves that they are the same. Times are UTC milliseconds.
CREATE TABLE shards(
  shard INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  owner TEXT NOT NULL
);
CREATE TABLE versions(
  number INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX versions_by_name ON versions(name, created_at);
-- Other tables name an execution by its number: 8 bytes less a row than its id, and close together for executions
-- that run at the same time.
CREATE TABLE executions(
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  workflow_name TEXT NOT NULL,
  version_hash TEXT NOT NULL,
  status TEXT NOT NULL,
  trigger_name TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  completed_at INTEGER,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  parent BLOB,
  retry_of BLOB,
  labels TEXT NOT NULL,
  round INTEGER NOT NULL,
  workflow BLOB,
  workflow_version INTEGER NOT NULL DEFAULT 0,
  keep_until INTEGER
);
-- Lists are in the order of the numbers, which every index ends with.
CREATE INDEX executions_by_status ON executions(status);
CREATE INDEX executions_by_name ON executions(workflow_name);
CREATE INDEX executions_by_workflow ON executions(workflow) WHERE workflow IS NOT NULL;
CREATE INDEX executions_by_parent ON executions(parent) WHERE parent IS NOT NULL;
CREATE INDEX executions_by_retry ON executions(retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX executions_by_end ON executions(completed_at) WHERE completed_at IS NOT NULL AND keep_until IS NULL;
CREATE INDEX executions_by_keep ON executions(keep_until) WHERE keep_until IS NOT NULL;
CREATE TRIGGER executions_terminal_is_final BEFORE UPDATE OF status ON executions
WHEN OLD.status IN ('completed', 'failed', 'cancelled') AND NEW.status <> OLD.status
  AND NOT (OLD.status = 'failed' AND NEW.round > OLD.round)
BEGIN
  SELECT RAISE(ABORT, 'a terminal status is final');
END;
-- How many executions there are, kept as they are written; an empty workflow is none.
CREATE TABLE execution_counts(
  workflow BLOB NOT NULL,
  workflow_name TEXT NOT NULL,
  status TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY(workflow, workflow_name, status)
) WITHOUT ROWID;
CREATE INDEX execution_counts_by_name ON execution_counts(workflow_name);
-- Appended in the order of arrival, whatever the execution; first_seq is the compare-and-swap.
CREATE TABLE journal(
  execution INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  at INTEGER NOT NULL,
  chain BLOB NOT NULL,
  events TEXT NOT NULL
);
CREATE UNIQUE INDEX journal_by_execution ON journal(execution, first_seq);
CREATE TABLE snapshots(
  execution INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  chain BLOB NOT NULL,
  state TEXT NOT NULL
);
CREATE TABLE timers(
  execution INTEGER PRIMARY KEY,
  due INTEGER NOT NULL
);
CREATE INDEX timers_by_due ON timers(due);
CREATE TABLE idempotency(
  key TEXT PRIMARY KEY,
  request BLOB NOT NULL,
  subject BLOB NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency(at);
CREATE TABLE inbox(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  execution BLOB NOT NULL,
  input TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX inbox_by_execution ON inbox(execution);
-- One row holds the lines of one commit, as a JSON list. first_line counts from 0, number from 1; after_seq is the
-- last event recorded before it.
CREATE TABLE logs(
  execution INTEGER NOT NULL,
  first_line INTEGER NOT NULL,
  count INTEGER NOT NULL,
  lines TEXT NOT NULL,
  number INTEGER NOT NULL DEFAULT 0,
  after_seq INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX logs_by_execution ON logs(execution, first_line);
CREATE UNIQUE INDEX logs_by_number ON logs(execution, number);
CREATE TABLE blob_refs(
  execution INTEGER NOT NULL,
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY(execution, hash)
) WITHOUT ROWID;
CREATE INDEX blob_refs_by_hash ON blob_refs(hash);
-- tags is a JSON list, search_text the name and description in lower case; the draft stands last because it is long.
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
-- One hour of one workflow (step '') or of one of its steps; histograms are `bucket:count,...`.
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
-- One row: which history this file holds. Epochs are claimed above `epoch`, whatever the shard.
CREATE TABLE lineage(
  id BLOB NOT NULL,
  epoch INTEGER NOT NULL
);
-- What workers registered, for servers that start before those workers come back.
CREATE TABLE task_types(
  type TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  registered_at INTEGER NOT NULL
) WITHOUT ROWID;
-- What became of each time at which a schedule was due: one row a tick, and so one execution.
CREATE TABLE ticks(
  workflow BLOB NOT NULL,
  trigger TEXT NOT NULL,
  tick INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  execution BLOB,
  decided_at INTEGER NOT NULL,
  PRIMARY KEY(workflow, trigger, tick)
) WITHOUT ROWID;
-- The last requests of each webhook; `record` is JSON that only its writer reads.
CREATE TABLE hook_requests(
  number INTEGER PRIMARY KEY,
  workflow BLOB NOT NULL,
  trigger TEXT NOT NULL,
  at INTEGER NOT NULL,
  record TEXT NOT NULL
);
CREATE INDEX hook_requests_by_hook ON hook_requests(workflow, trigger, number);
-- What somebody said about a schedule: is it paused, since when and why.
CREATE TABLE schedule_states(
  workflow BLOB NOT NULL,
  trigger TEXT NOT NULL,
  paused INTEGER NOT NULL,
  note TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  execution BLOB,
  PRIMARY KEY(workflow, trigger)
) WITHOUT ROWID;
-- What happened, for those who subscribe or wait; `outcome` says what became of it.
CREATE TABLE events(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  data TEXT NOT NULL,
  source TEXT NOT NULL,
  root BLOB NOT NULL,
  depth INTEGER NOT NULL,
  at INTEGER NOT NULL,
  handled_at INTEGER,
  started INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT ''
);
CREATE INDEX events_by_name ON events(name, number);
CREATE INDEX events_by_key ON events(name, key, number);
CREATE INDEX events_by_root ON events(root);
CREATE INDEX events_unhandled ON events(number) WHERE handled_at IS NULL;
-- Tasks that wait for an event.
CREATE TABLE event_waits(
  execution BLOB NOT NULL,
  task TEXT NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  since INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  looked_back INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(execution, task)
) WITHOUT ROWID;
CREATE INDEX event_waits_by_name ON event_waits(name, key);
CREATE INDEX event_waits_new ON event_waits(execution) WHERE looked_back = 0;
