-- What workers registered, so that a server which starts before them knows the functions its workflows name.
CREATE TABLE task_types(
  type TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  registered_at INTEGER NOT NULL
) WITHOUT ROWID;
