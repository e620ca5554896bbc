-- A row is its JSON document, as the crate writes it; the columns beside it are those that queries and indexes need.
-- So the crate may add a field to a row without a migration here, and `row ->> '$.name'` reads any field by hand.
-- Times are text that sorts as they do, in UTC to the nanosecond. Ids are 16 bytes: `hex(id)`.

CREATE TABLE organizations (
    id      INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    row     TEXT NOT NULL
) STRICT;

CREATE TABLE monitors (
    id      BLOB PRIMARY KEY,
    project INTEGER NOT NULL,
    slug    TEXT NOT NULL,
    version INTEGER NOT NULL,
    row     TEXT NOT NULL,
    UNIQUE (project, slug)
) STRICT;

CREATE TABLE environments (
    id      BLOB PRIMARY KEY,
    project INTEGER NOT NULL,
    slug    TEXT NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    due_at  TEXT,
    row     TEXT NOT NULL,
    UNIQUE (project, slug, name)
) STRICT;

CREATE INDEX misses ON environments (due_at, project, slug, name) WHERE due_at IS NOT NULL;

CREATE TABLE runs (
    id          BLOB NOT NULL UNIQUE,
    environment BLOB NOT NULL,
    number      INTEGER NOT NULL,
    status      TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    due_at      TEXT,
    closed_by   BLOB,
    row         TEXT NOT NULL
) STRICT;

CREATE INDEX history ON runs (environment, started_at, number);
CREATE INDEX open_runs ON runs (environment, started_at, number) WHERE status = 'in_progress';
CREATE INDEX timeouts ON runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX closed_by ON runs (closed_by) WHERE closed_by IS NOT NULL;

CREATE TABLE incidents (
    id          BLOB PRIMARY KEY,
    environment BLOB NOT NULL,
    number      INTEGER NOT NULL,
    started_at  TEXT NOT NULL,
    resolved_at TEXT,
    row         TEXT NOT NULL
) STRICT;

CREATE INDEX incidents_of ON incidents (environment, number);
CREATE INDEX incidents_by_start ON incidents (started_at);

-- Check-ins that were rejected. The owner is a monitor's id, or a project's number where there is no such monitor.
CREATE TABLE refusals (
    owner ANY NOT NULL,
    id    BLOB NOT NULL,
    at    TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX refusals_by_time ON refusals (at);

-- What happened, in order. An event is written in the transaction that caused it.
CREATE TABLE events (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          BLOB NOT NULL UNIQUE,
    environment BLOB NOT NULL,
    at          TEXT NOT NULL,
    event       TEXT NOT NULL
) STRICT;

-- The destinations of events.
CREATE TABLE destinations (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Which events each destination has yet to take. An entry is deleted when its destination has taken the event.
CREATE TABLE outbox (
    destination TEXT NOT NULL,
    environment BLOB NOT NULL,
    sequence    INTEGER NOT NULL,
    PRIMARY KEY (destination, environment, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
