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
