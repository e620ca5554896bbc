-- A row is its JSON document, as the crate writes it; the columns beside it are those that queries and indexes need.
-- So the crate may add a field to a row without a migration here, and `row ->> 'name'` reads any field by hand (where no
-- text in it has a character that PostgreSQL's own cannot have; so no statement of ours relies on it).
-- Times are text that sorts as they do, in UTC to the nanosecond.

-- What this is, and the stream that it keeps up with.
CREATE TABLE schema (
    version int NOT NULL,
    stream  text NOT NULL
);

INSERT INTO schema VALUES (1, '');

-- Who consumes which partition of the stream. A lease lasts until its time is up; `claim` is its number.
CREATE TABLE partitions (
    partition int PRIMARY KEY,
    claim     bigint NOT NULL DEFAULT 0,
    worker    uuid,
    until     timestamptz NOT NULL DEFAULT '-infinity'
);

-- How far each partition is: the last message of the stream that was decided, under which lease.
CREATE TABLE progress (
    partition int PRIMARY KEY,
    claim     bigint NOT NULL DEFAULT 0,
    sequence  bigint NOT NULL DEFAULT 0
);

CREATE TABLE workers (
    id    uuid PRIMARY KEY,
    until timestamptz NOT NULL
);

CREATE TABLE organizations (
    id      bigint PRIMARY KEY,
    version bigint NOT NULL,
    row     json NOT NULL
);

-- `thresholds` is how many of the newest runs of an environment the thresholds of the monitor look at.
CREATE TABLE monitors (
    id           uuid PRIMARY KEY,
    organization bigint NOT NULL,
    thresholds   bigint NOT NULL,
    version      bigint NOT NULL,
    row          json NOT NULL
);

-- A name may hold any character, also the one that PostgreSQL's text cannot: so it is its bytes, which sort as the crate
-- sorts names.
CREATE TABLE environments (
    id        uuid PRIMARY KEY,
    monitor   uuid NOT NULL,
    partition int NOT NULL,
    project   bigint NOT NULL,
    slug      text COLLATE "C" NOT NULL,
    name      bytea NOT NULL,
    version   bigint NOT NULL,
    due_at    text COLLATE "C",
    row       json NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX environments_of ON environments (monitor, name);
-- What is due; and all of a partition, for retention, so that no check-in keeps one more index.
CREATE INDEX misses ON environments (partition, due_at, project, slug, name);

CREATE TABLE runs (
    id          uuid PRIMARY KEY,
    environment uuid NOT NULL,
    partition   int NOT NULL,
    number      bigint NOT NULL,
    status      text COLLATE "C" NOT NULL,
    started_at  text COLLATE "C" NOT NULL,
    due_at      text COLLATE "C",
    closed_by   uuid,
    row         json NOT NULL
) WITH (fillfactor = 90);

CREATE INDEX history ON runs (environment, started_at, number);
CREATE INDEX open_runs ON runs (environment, started_at, number) WHERE status = 'in_progress';
CREATE INDEX timeouts ON runs (partition, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX closed_by ON runs (closed_by) WHERE closed_by IS NOT NULL;

CREATE TABLE incidents (
    id          uuid PRIMARY KEY,
    environment uuid NOT NULL,
    started_at  text COLLATE "C" NOT NULL,
    resolved_at text COLLATE "C",
    row         json NOT NULL
);

CREATE INDEX incidents_of ON incidents (environment, started_at);

-- What happened, in order, written in the transaction that caused it. The outbox is the events that are not `told` yet.
CREATE TABLE events (
    sequence  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        uuid NOT NULL UNIQUE,
    partition int NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    told      boolean NOT NULL DEFAULT false,
    event     json NOT NULL
);

CREATE INDEX outbox ON events (partition, sequence) WHERE NOT told;
CREATE INDEX events_by_time ON events (partition, at);

-- Fails the transaction as a conflict unless the rows are as the decision found them.
CREATE FUNCTION must(hold boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT hold THEN
        RAISE EXCEPTION 'the rows have changed since they were read' USING ERRCODE = 'serialization_failure';
    END IF;
END
$$;
