-- The first schema: executions, their journals and all that hangs on them.
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
  round INTEGER NOT NULL
);
CREATE INDEX executions_by_status ON executions(status, id);
CREATE INDEX executions_by_workflow ON executions(workflow_name, id);
CREATE INDEX executions_by_end ON executions(completed_at) WHERE completed_at IS NOT NULL;
CREATE TRIGGER executions_terminal_is_final BEFORE UPDATE OF status ON executions
WHEN OLD.status IN ('completed', 'failed', 'cancelled') AND NEW.status <> OLD.status
  AND NOT (OLD.status = 'failed' AND NEW.round > OLD.round)
BEGIN
  SELECT RAISE(ABORT, 'a terminal status is final');
END;
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
  execution BLOB NOT NULL,
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
-- One row holds the lines of one commit, as a JSON list.
CREATE TABLE logs(
  execution INTEGER NOT NULL,
  first_line INTEGER NOT NULL,
  count INTEGER NOT NULL,
  lines TEXT NOT NULL
);
CREATE UNIQUE INDEX logs_by_execution ON logs(execution, first_line);
CREATE TABLE blob_refs(
  execution INTEGER NOT NULL,
  hash TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY(execution, hash)
) WITHOUT ROWID;
CREATE INDEX blob_refs_by_hash ON blob_refs(hash);
