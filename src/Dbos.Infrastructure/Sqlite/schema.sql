-- A change of these tables is a new schema version.
CREATE TABLE layout (schema_version INTEGER NOT NULL, moved_from TEXT, generation TEXT NOT NULL);

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

-- Audit events, and refused writes, in the order of their commits: at is Unix milliseconds and never goes back, event is JSON
-- without its id. Numbers are without gaps, and the lowest ones are deleted first.
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event BLOB NOT NULL);
CREATE TABLE refusal (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event BLOB NOT NULL);

CREATE TABLE probe (id INTEGER PRIMARY KEY, told INTEGER NOT NULL);
