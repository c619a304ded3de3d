-- Objects by kind and key, and the log of their changes.

CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL,  -- sequence of the change that made it; 0: bookkeeping, not in the log
  body TEXT NOT NULL,
  UNIQUE (kind, key)
) STRICT;

CREATE TABLE changes (
  sequence INTEGER PRIMARY KEY,  -- 1, 2, 3, ... without gaps; the oldest may be pruned
  time_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  why TEXT NOT NULL,
  before TEXT,  -- NULL: it did not exist
  after TEXT    -- NULL: it was erased
) STRICT;

-- The history of one object; the sequence is in every index entry by itself.
CREATE INDEX changes_of_object ON changes (kind, key);

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
