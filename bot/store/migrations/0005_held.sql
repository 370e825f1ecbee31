-- Whether an alert waits for its time and not for a poster: what is held may lie days ahead, a lease may not.
ALTER TABLE waiting ADD COLUMN held boolean NOT NULL DEFAULT true;
