-- What became of each time at which a schedule was due.
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
