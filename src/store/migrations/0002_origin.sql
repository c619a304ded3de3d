-- Where a change entered, and the id of what changed, which stays the same over renames.

ALTER TABLE changes ADD COLUMN via TEXT NOT NULL DEFAULT '';

ALTER TABLE changes ADD COLUMN id TEXT;  -- NULL: the body names none

UPDATE changes SET id =
  substr(coalesce(after, before), instr(coalesce(after, before), '"id":"') + 6, 32)
WHERE kind = 'node' AND instr(substr(coalesce(after, before), 1, 256), '"id":"') > 0;

CREATE INDEX changes_of_id ON changes (id, kind) WHERE id IS NOT NULL;
