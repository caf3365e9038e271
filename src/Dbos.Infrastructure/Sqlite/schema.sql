-- A change of these tables is a new schema version.
CREATE TABLE layout (schema_version INTEGER NOT NULL, moved_from TEXT, generation TEXT NOT NULL);

CREATE TABLE mark (
    name       TEXT PRIMARY KEY,
    value      BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX mark_expiry ON mark (expires_at);

CREATE TABLE count (
    bucket INTEGER NOT NULL, -- 0: over all time; -1: tasks that exist, by status; above 0: the 10 s that begin 10 s times this
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
