-- The changes of one object are a chain: each says which one came before it, and the newest is
-- objects.revision or, of what was erased, the newest end of its name. The index of all changes by
-- object that did this took an entry in the middle for each change, the dearer the longer the log.

CREATE TABLE new_changes (
  sequence INTEGER PRIMARY KEY,  -- 1, 2, 3, ... without gaps; the oldest may be pruned
  previous INTEGER,              -- the change of this kind and key before it, pruned or not; NULL: none
  time_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  id TEXT,                       -- NULL: the body names none
  actor TEXT NOT NULL,
  via TEXT NOT NULL,
  why TEXT NOT NULL,
  before TEXT,                   -- NULL: it did not exist
  after TEXT                     -- NULL: it was erased
) STRICT;

INSERT INTO new_changes
SELECT sequence,
       (SELECT max(earlier.sequence) FROM changes earlier
        WHERE earlier.kind = changes.kind AND earlier.key = changes.key
          AND earlier.sequence < changes.sequence),
       time_ms, kind, key, id, actor, via, why, before, after
FROM changes ORDER BY sequence;
DROP TABLE changes;
ALTER TABLE new_changes RENAME TO changes;

-- The names that an id was given and lost.
CREATE INDEX names_of_id ON changes (id, kind, key)
  WHERE id IS NOT NULL AND (before IS NULL OR after IS NULL);

-- Where the chain of what is not there any more begins.
CREATE INDEX ends_of_names ON changes (kind, key) WHERE after IS NULL;
