-- A change of these tables is a new schema version.
CREATE TABLE layout (schema_version INTEGER NOT NULL, moved_from TEXT);

CREATE TABLE record (
    name         TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    document     BLOB NOT NULL,
    payload      BLOB,
    deliveries   INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER,
    tells_end    INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE mark (
    name       TEXT PRIMARY KEY,
    value      BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX mark_expiry ON mark (expires_at);

CREATE TABLE entry (
    name   TEXT NOT NULL,
    member TEXT NOT NULL,
    score  INTEGER NOT NULL,
    PRIMARY KEY (name, member)
) WITHOUT ROWID;
CREATE INDEX entry_order ON entry (name, score, member);

CREATE TABLE count (
    bucket INTEGER NOT NULL,
    name   TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;

CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, told BLOB NOT NULL);
CREATE TABLE refusals (seq INTEGER PRIMARY KEY AUTOINCREMENT, told BLOB NOT NULL);
-- Audit events in the order of their commits: at is Unix milliseconds, event is JSON without its id.
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event BLOB NOT NULL);

-- place is when it was stored, in Unix microseconds, and more where that is taken: the order of lists.
CREATE TABLE result (
    place                 INTEGER PRIMARY KEY,
    id                    TEXT NOT NULL,
    agent_id              TEXT NOT NULL,
    module_name           TEXT NOT NULL,
    timestamp             INTEGER NOT NULL,
    received_at           INTEGER NOT NULL,
    agent_start_time      INTEGER NOT NULL,
    agent_runtime_version TEXT NOT NULL,
    module_revision       TEXT NOT NULL,
    dbos_server_id        TEXT NOT NULL,
    ingest_source         TEXT NOT NULL,
    data                  BLOB NOT NULL,
    UNIQUE (id, agent_id)
);
CREATE INDEX result_of_agent ON result (agent_id, place);

CREATE TABLE probe (id INTEGER PRIMARY KEY, told INTEGER NOT NULL);
