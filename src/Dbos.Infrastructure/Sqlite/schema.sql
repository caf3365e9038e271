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
    bucket INTEGER NOT NULL, -- 0: over all time; -1: tasks that exist, by status; above 0: the 10 s that begin 10 s times this
    name   TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;

CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, told BLOB NOT NULL);
CREATE TABLE refusals (seq INTEGER PRIMARY KEY AUTOINCREMENT, told BLOB NOT NULL);
-- Audit events in the order of their commits: at is Unix milliseconds, event is JSON without its id.
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, event BLOB NOT NULL);

CREATE TABLE probe (id INTEGER PRIMARY KEY, told INTEGER NOT NULL);

-- Tasks, all but their payloads. Times are Unix milliseconds where no comment says seconds. A row is found and changed by its
-- id alone, so the table is stored in the order of the ids, and each index ends with the id.
CREATE TABLE task (
    id            TEXT PRIMARY KEY,
    agent         TEXT NOT NULL,
    module        TEXT NOT NULL,
    band          INTEGER NOT NULL, -- 9 minus the priority: the lowest band is delivered first
    scheduled_at  INTEGER NOT NULL, -- seconds
    created_at    INTEGER NOT NULL, -- seconds
    max_retries   INTEGER NOT NULL,
    max_expiries  INTEGER NOT NULL,
    trace_parent  TEXT,
    payload_key   INTEGER,          -- of task_payload; NULL: the payload is empty
    payload_bytes INTEGER NOT NULL,
    -- What transitions change:
    status        INTEGER NOT NULL, -- 0 pending, 1 inflight, 2 completed, 3 failed, 4 cancelled
    visible_at    INTEGER NOT NULL, -- pending: due; inflight: the lease expires
    lease_token   INTEGER NOT NULL, -- of the latest delivery; 0: none yet
    deliveries    INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    expiries      INTEGER NOT NULL,
    ended_at      INTEGER,          -- completed, failed for good or cancelled
    reports_end   INTEGER NOT NULL, -- 1: the end of the latest delivery is reported to the stream that has it
    failure_log   TEXT              -- JSON of the last error, the dead-letter reason and the history; NULL: nothing has failed
) WITHOUT ROWID;
-- Each status has the index of its list. Those of pending tasks are also where takers find the longest due task of a priority:
-- of an agent, and of an agent's module.
CREATE INDEX task_pending ON task (band, visible_at) WHERE status = 0;
CREATE INDEX task_pending_agent ON task (agent, band, visible_at) WHERE status = 0;
CREATE INDEX task_pending_module ON task (module, agent, band, visible_at) WHERE status = 0;
CREATE INDEX task_inflight ON task (visible_at) WHERE status = 1;
CREATE INDEX task_ended ON task (status, ended_at) WHERE ended_at IS NOT NULL;

-- A table of their own, so that a change of a task's lease does not write its payload again.
CREATE TABLE task_payload (key INTEGER PRIMARY KEY, payload BLOB NOT NULL);

-- Which agents have pending tasks of a priority, and whose turn it is. One row is written when the earliest of these tasks
-- changes, not at every task. A row without pending tasks is kept for a minute, so that an agent which always has one
-- task is known to have been served.
CREATE TABLE agent_turn (
    band   INTEGER NOT NULL,
    agent  TEXT NOT NULL,
    head   INTEGER,          -- when the earliest pending task is due; NULL: none is pending
    served INTEGER NOT NULL, -- when a task was last delivered, Unix microseconds, each take later than the one before; 0: never
    turn   INTEGER AS (max(head * 1000, served)) VIRTUAL,
    PRIMARY KEY (band, agent)
) WITHOUT ROWID;
CREATE INDEX agent_turn_order ON agent_turn (band, turn, agent) WHERE head IS NOT NULL;
CREATE INDEX agent_turn_idle ON agent_turn (served) WHERE head IS NULL;

-- Likewise for those who take tasks of one module only.
CREATE TABLE module_turn (
    module TEXT NOT NULL,
    band   INTEGER NOT NULL,
    agent  TEXT NOT NULL,
    head   INTEGER,
    served INTEGER NOT NULL,
    turn   INTEGER AS (max(head * 1000, served)) VIRTUAL,
    PRIMARY KEY (module, band, agent)
) WITHOUT ROWID;
CREATE INDEX module_turn_order ON module_turn (module, band, turn, agent) WHERE head IS NOT NULL;
CREATE INDEX module_turn_idle ON module_turn (served) WHERE head IS NULL;

-- The latest lease token. It only grows, so no token is used twice, not even for another task of the same id.
CREATE TABLE lease_token (id INTEGER PRIMARY KEY CHECK (id = 1), latest INTEGER NOT NULL);
INSERT INTO lease_token VALUES (1, 0);
