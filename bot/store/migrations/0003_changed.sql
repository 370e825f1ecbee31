-- When a person was last written, as the number of the transaction: what changed since another look is found
-- without reading everybody, also where transactions end in another order than they began.
ALTER TABLE person ADD COLUMN changed xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX person_changed ON person (changed);
