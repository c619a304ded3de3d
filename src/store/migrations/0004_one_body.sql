-- The body of an object that is in the change log is kept once, in the change that made it
-- (objects.revision is its sequence): objects.body is NULL then. Bodies that are here already stay
-- until their object changes, and bookkeeping (revision 0) keeps its own.

CREATE TABLE new_objects (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL,  -- sequence of the change that made it; 0: bookkeeping, not in the log
  body TEXT,                  -- NULL: changes.after of that change
  UNIQUE (kind, key)
) STRICT;

INSERT INTO new_objects SELECT id, kind, key, revision, body FROM objects;
DROP TABLE objects;
ALTER TABLE new_objects RENAME TO objects;

-- An id is looked up by the names it was given and lost alone: every change of ten thousand nodes
-- would else be ten thousand entries in random order.
DROP INDEX changes_of_id;
CREATE INDEX names_of_id ON changes (id, kind, key)
  WHERE id IS NOT NULL AND (before IS NULL OR after IS NULL);
