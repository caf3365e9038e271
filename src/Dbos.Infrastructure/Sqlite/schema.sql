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

-- What each heartbeat of an agent changes. last_seen and first_seen are Unix seconds, heard_at and deadline Unix milliseconds; deadline is
-- when the agent is lost, NULL once it is. callers: the last counts of those who report it. learned: JSON of its volatile config keys.
CREATE TABLE agent (
    id               TEXT PRIMARY KEY,
    version          INTEGER NOT NULL,
    hostname         TEXT NOT NULL,
    alive            INTEGER NOT NULL,
    heard_at         INTEGER NOT NULL,
    last_seen        INTEGER NOT NULL,
    first_seen       INTEGER NOT NULL,
    total_heartbeats INTEGER NOT NULL,
    callers          TEXT NOT NULL,
    learned          BLOB NOT NULL,
    deadline         INTEGER
) WITHOUT ROWID;
CREATE INDEX agent_deadline ON agent (deadline) WHERE deadline IS NOT NULL;

-- What changes seldom, as JSON: the config without its volatile keys, and when the agent was connected and lost.
CREATE TABLE agent_config (agent_id TEXT PRIMARY KEY, steady BLOB NOT NULL);
CREATE TABLE agent_history (agent_id TEXT PRIMARY KEY, changes BLOB NOT NULL);

-- States of requests, one for each agent, and of modules themselves, whose request_id is ''. timestamp is Unix seconds as the agent
-- reported it, changed_at Unix microseconds of the commit; details is JSON.
CREATE TABLE module_state (
    id            INTEGER PRIMARY KEY,
    request_id    TEXT NOT NULL,
    agent_id      TEXT NOT NULL,
    module_name   TEXT NOT NULL,
    version       INTEGER NOT NULL,
    state         TEXT NOT NULL,
    timestamp     INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    error_message TEXT NOT NULL,
    details       TEXT
);
CREATE UNIQUE INDEX module_state_subject ON module_state (request_id, agent_id, module_name);
CREATE INDEX module_state_of_request ON module_state (request_id, changed_at);
CREATE INDEX module_state_of_both ON module_state (agent_id, module_name, changed_at);
CREATE INDEX module_state_of_agent ON module_state (agent_id, changed_at);
CREATE INDEX module_state_of_module ON module_state (module_name, changed_at);
CREATE INDEX module_state_latest ON module_state (changed_at);

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
