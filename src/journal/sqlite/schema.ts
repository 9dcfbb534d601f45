// The tables of the database and how older ones become today's. Plain SQL that PostgreSQL would take with its own types.
// Invariant: a migration that was released is never edited; a new one is added at the end.

/** Which migrations a database has, and when each was made. */
export const MIGRATIONS_TABLE = 'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT'

/**
 * Migrations, oldest first. The schema version of a database is how many of them it has.
 *
 * Layout: entries carry the short integer number of their run, not its id, in a rowid table with one integer index: new
 * rows go to the end of the file, which a group of runs shares, instead of one page per run.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    commits INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  INSERT INTO progress (id, commits, hash) VALUES (1, 0, '');

  CREATE TABLE runs (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    agent TEXT NOT NULL,
    agent_version TEXT,
    agent_hash TEXT NOT NULL,
    source TEXT,
    engine TEXT NOT NULL,
    user_id TEXT,
    route TEXT,
    tenant TEXT,
    session TEXT,
    run_key TEXT,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL,
    waiting TEXT,
    due_at INTEGER,
    model_calls INTEGER NOT NULL,
    tool_calls INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL,
    cost_unknown INTEGER NOT NULL,
    output TEXT,
    failure_code TEXT,
    defect INTEGER,
    inbox INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX runs_id ON runs (id);
  CREATE UNIQUE INDEX runs_key ON runs (agent, coalesce(tenant, ''), run_key) WHERE run_key IS NOT NULL;
  CREATE UNIQUE INDEX runs_open_session ON runs (coalesce(tenant, ''), session)
    WHERE session IS NOT NULL AND status IN ('queued', 'running', 'waiting');
  CREATE INDEX runs_started ON runs (started_at);
  CREATE INDEX runs_status ON runs (status, started_at);
  CREATE INDEX runs_agent ON runs (agent, started_at);
  CREATE INDEX runs_user ON runs (user_id, started_at) WHERE user_id IS NOT NULL;
  CREATE INDEX runs_route ON runs (route, started_at) WHERE route IS NOT NULL;
  CREATE INDEX runs_tenant ON runs (tenant, started_at) WHERE tenant IS NOT NULL;
  CREATE INDEX runs_session ON runs (session, started_at) WHERE session IS NOT NULL;

  CREATE TABLE entries (
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX entries_run ON entries (run, seq);

  CREATE TABLE leases (
    run INTEGER PRIMARY KEY,
    owner TEXT,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE inbox (
    run INTEGER NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX inbox_run ON inbox (run, n);

  CREATE TABLE content (
    hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX content_hash ON content (hash);

  CREATE TABLE snapshots (
    run INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL
  ) STRICT;
  `,
  // What a worker looks for: runs whose timer is due, and runs with an event they have not taken.
  `
  ALTER TABLE runs ADD COLUMN priority INTEGER;
  ALTER TABLE runs ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX runs_due ON runs (due_at) WHERE status = 'waiting' AND due_at IS NOT NULL;
  CREATE INDEX runs_unread ON runs (updated_at) WHERE inbox > taken AND status IN ('running', 'waiting');
  `,
  `
  CREATE TABLE cache (
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    fresh_until INTEGER NOT NULL,
    stale_until INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX cache_key ON cache (key);
  CREATE INDEX cache_end ON cache (stale_until);
  `,
  // What was spent, by hour and by everything it can be grouped under; and ended runs by cost.
  `
  CREATE TABLE ledger_keys (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    user_id TEXT,
    route TEXT,
    tenant TEXT,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT,
    prompt_hash TEXT
  ) STRICT;
  CREATE UNIQUE INDEX ledger_keys_id ON ledger_keys (id);
  CREATE TABLE ledger (
    key INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cache_hits INTEGER NOT NULL,
    saved_nano INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    runs_0 INTEGER NOT NULL,
    runs_1 INTEGER NOT NULL,
    runs_2 INTEGER NOT NULL,
    runs_3 INTEGER NOT NULL,
    runs_4 INTEGER NOT NULL,
    runs_5 INTEGER NOT NULL,
    runs_6 INTEGER NOT NULL,
    runs_7 INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    costs TEXT NOT NULL,
    latencies TEXT NOT NULL,
    PRIMARY KEY (key, hour)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX runs_cost ON runs (cost_nano) WHERE status IN ('done', 'failed', 'limited', 'cancelled');
  `,
  // Limits on spending, what was spent against each in its window, and what calls under way hold.
  `
  CREATE TABLE limits (
    no INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    unit TEXT NOT NULL,
    span TEXT NOT NULL,
    amount INTEGER NOT NULL,
    warn_at INTEGER,
    timezone TEXT,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX limits_kind ON limits (scope, unit, span);
  CREATE TABLE accounts (
    id TEXT NOT NULL,
    holder TEXT NOT NULL,
    unit TEXT NOT NULL,
    span TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    told INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX accounts_id ON accounts (id);
  CREATE INDEX accounts_holder ON accounts (holder, ends_at);
  CREATE INDEX accounts_end ON accounts (ends_at);
  CREATE TABLE holds (
    attempt TEXT NOT NULL,
    call TEXT NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX holds_call ON holds (attempt, call, account);
  CREATE INDEX holds_account ON holds (account, expires_at);
  CREATE INDEX holds_end ON holds (expires_at);
  `,
  // The ledger by day as well as by hour, and found by time as well as by key.
  `
  ALTER TABLE ledger RENAME TO ledger_by_hour;
  CREATE TABLE ledger (
    grain INTEGER NOT NULL,
    period INTEGER NOT NULL,
    key INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    cache_hits INTEGER NOT NULL,
    saved_nano INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    runs_0 INTEGER NOT NULL,
    runs_1 INTEGER NOT NULL,
    runs_2 INTEGER NOT NULL,
    runs_3 INTEGER NOT NULL,
    runs_4 INTEGER NOT NULL,
    runs_5 INTEGER NOT NULL,
    runs_6 INTEGER NOT NULL,
    runs_7 INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    costs TEXT NOT NULL,
    latencies TEXT NOT NULL,
    PRIMARY KEY (grain, period, key)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ledger (grain, period, key, calls, failed, estimated, unpriced, cache_hits, saved_nano, input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cost_nano, latency_ms, runs_0, runs_1, runs_2, runs_3, runs_4, runs_5, runs_6, runs_7, first_at, last_at, costs, latencies) SELECT 1, hour, key, calls, failed, estimated, unpriced, cache_hits, saved_nano, input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cost_nano, latency_ms, runs_0, runs_1, runs_2, runs_3, runs_4, runs_5, runs_6, runs_7, first_at, last_at, costs, latencies FROM ledger_by_hour;
  INSERT INTO ledger (grain, period, key, calls, failed, estimated, unpriced, cache_hits, saved_nano, input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cost_nano, latency_ms, runs_0, runs_1, runs_2, runs_3, runs_4, runs_5, runs_6, runs_7, first_at, last_at, costs, latencies)
    SELECT 24, hour / 24, key, CAST(sum(calls) AS BIGINT), CAST(sum(failed) AS BIGINT), CAST(sum(estimated) AS BIGINT), CAST(sum(unpriced) AS BIGINT), CAST(sum(cache_hits) AS BIGINT), CAST(sum(saved_nano) AS BIGINT), CAST(sum(input_tokens) AS BIGINT), CAST(sum(output_tokens) AS BIGINT), CAST(sum(cached_tokens) AS BIGINT), CAST(sum(cache_write_tokens) AS BIGINT), CAST(sum(reasoning_tokens) AS BIGINT), CAST(sum(cost_nano) AS BIGINT), CAST(sum(latency_ms) AS BIGINT), CAST(sum(runs_0) AS BIGINT), CAST(sum(runs_1) AS BIGINT), CAST(sum(runs_2) AS BIGINT), CAST(sum(runs_3) AS BIGINT), CAST(sum(runs_4) AS BIGINT), CAST(sum(runs_5) AS BIGINT), CAST(sum(runs_6) AS BIGINT), CAST(sum(runs_7) AS BIGINT), min(first_at), max(last_at), string_agg(costs, ''), string_agg(latencies, '') FROM ledger_by_hour GROUP BY hour / 24, key;
  DROP TABLE ledger_by_hour;
  CREATE INDEX ledger_key ON ledger (key, grain, period);
  CREATE INDEX ledger_keys_user ON ledger_keys (user_id);
  CREATE INDEX ledger_keys_route ON ledger_keys (route);
  CREATE INDEX ledger_keys_tenant ON ledger_keys (tenant);
  CREATE INDEX ledger_keys_agent ON ledger_keys (agent);
  `,
  // Calls that were sent and failed without being billed: a prompt's failures, and no part of what was spent.
  `
  ALTER TABLE ledger ADD COLUMN unbilled INTEGER NOT NULL DEFAULT 0;
  `,
  // Snapshots that a long run goes on from, beside those that let a waiting run be migrated.
  `
  CREATE TABLE folds (
    run INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL
  ) STRICT;
  `,
]
