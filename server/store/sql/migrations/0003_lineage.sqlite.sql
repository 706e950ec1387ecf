-- Which history this file holds, so that an older or another file in its place is noticed.
CREATE TABLE lineage(
  id BLOB NOT NULL,
  epoch INTEGER NOT NULL
);
INSERT INTO lineage(id, epoch) VALUES (randomblob(16), 0);
