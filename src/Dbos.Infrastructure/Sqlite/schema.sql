CREATE TABLE IF NOT EXISTS record (
    name         TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    document     BLOB NOT NULL,
    payload      BLOB,
    deliveries   INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER,
    tells_end    INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS mark (
    name       TEXT PRIMARY KEY,
    value      BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mark_expiry ON mark (expires_at);

CREATE TABLE IF NOT EXISTS entry (
    name   TEXT NOT NULL,
    member TEXT NOT NULL,
    score  INTEGER NOT NULL,
    PRIMARY KEY (name, member)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_order ON entry (name, score, member);

CREATE TABLE IF NOT EXISTS count (
    bucket INTEGER NOT NULL,
    name   TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY AUTOINCREMENT, told BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refusals (seq INTEGER PRIMARY KEY AUTOINCREMENT, told BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, told INTEGER NOT NULL);
