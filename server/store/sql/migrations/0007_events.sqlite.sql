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
