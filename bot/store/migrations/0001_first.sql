-- One person is one row. What lists need (`brief`) lies apart from the observations, so that a judgement or
-- a lease rewrites little. The documents are `json`, not `jsonb`: numbers must come back as they went in.
CREATE TABLE person (
    address text PRIMARY KEY,
    domain text NOT NULL,
    version bigint NOT NULL,
    watched boolean NOT NULL,
    news boolean NOT NULL,
    has_cases boolean NOT NULL,
    brief json NOT NULL,
    observations json NOT NULL
);
CREATE INDEX person_domain ON person (domain);
CREATE INDEX person_news ON person (address) WHERE watched AND news;
CREATE INDEX person_cases ON person (address) WHERE has_cases;

-- The next unsent alert of each case: the outbox.
CREATE TABLE waiting (
    case_key text PRIMARY KEY,
    address text NOT NULL REFERENCES person ON DELETE CASCADE,
    alert_key text NOT NULL,
    rank integer NOT NULL,
    at timestamptz NOT NULL,
    leased_until timestamptz
);
CREATE INDEX waiting_address ON waiting (address);
CREATE INDEX waiting_order ON waiting (rank, at, alert_key);

CREATE TABLE cursor_of (source text PRIMARY KEY, cursor json NOT NULL);
CREATE TABLE slot (watcher text, slot timestamptz, PRIMARY KEY (watcher, slot));
CREATE TABLE event (event text PRIMARY KEY, at timestamptz NOT NULL);
CREATE INDEX event_at ON event (at);

-- Whom we were asked to forget: keyed hashes, and whose erasure is not ended.
CREATE TABLE forgotten_key (one boolean PRIMARY KEY DEFAULT true CHECK (one), key bytea NOT NULL);
CREATE TABLE forgotten (number bigserial PRIMARY KEY, mark text NOT NULL UNIQUE);
CREATE TABLE forgetting (address text PRIMARY KEY);
