// The tables in PostgreSQL: those of SQLite with PostgreSQL's types, but for the lease, which is part of the run's row, so
// that the lock on the row is what fences. Invariant: a migration that was released is never edited; new ones go to the end.

/** Which migrations a database has, and when each was made. */
export const MIGRATIONS_TABLE = 'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, at BIGINT NOT NULL)'

/** Migrations, oldest first. The schema version of a database is how many of them it has. */
export const MIGRATIONS: readonly string[] = [
  // fillfactor leaves room on the page, so that the new version of a row needs no entry in any index.
  `
  CREATE TABLE runs (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
    priority BIGINT,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    state TEXT NOT NULL,
    waiting TEXT,
    due_at BIGINT,
    taken BIGINT NOT NULL,
    model_calls BIGINT NOT NULL,
    tool_calls BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_nano BIGINT NOT NULL,
    cost_unknown BIGINT NOT NULL,
    output TEXT,
    failure_code TEXT,
    defect BIGINT,
    inbox BIGINT NOT NULL,
    lease_owner TEXT,
    lease_epoch BIGINT NOT NULL DEFAULT 1,
    lease_expires_at BIGINT NOT NULL DEFAULT 0
  ) WITH (fillfactor = 70);
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
  CREATE INDEX runs_due ON runs (due_at) WHERE status = 'waiting' AND due_at IS NOT NULL;
  CREATE INDEX runs_unread ON runs (no) WHERE inbox > taken AND status IN ('running', 'waiting');

  CREATE TABLE entries (
    run BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, seq)
  );

  CREATE TABLE inbox (
    run BIGINT NOT NULL,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    PRIMARY KEY (run, n)
  );

  CREATE TABLE content (
    no BIGINT GENERATED ALWAYS AS IDENTITY,
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL
  );
  CREATE INDEX content_kind ON content (kind, no);

  CREATE TABLE snapshots (
    run BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL
  );

  CREATE TABLE cache (
    key TEXT PRIMARY KEY,
    body BYTEA NOT NULL,
    stored_at BIGINT NOT NULL,
    fresh_until BIGINT NOT NULL,
    stale_until BIGINT NOT NULL
  );
  CREATE INDEX cache_end ON cache (stale_until);
  `,
  // What was spent, by hour and by everything it can be grouped under; and ended runs by cost.
  `
  CREATE TABLE ledger_keys (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL,
    user_id TEXT,
    route TEXT,
    tenant TEXT,
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt TEXT,
    prompt_hash TEXT
  );
  CREATE UNIQUE INDEX ledger_keys_id ON ledger_keys (id);
  CREATE TABLE ledger (
    key BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    estimated BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    cache_hits BIGINT NOT NULL,
    saved_nano BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    cost_nano BIGINT NOT NULL,
    latency_ms BIGINT NOT NULL,
    runs_0 BIGINT NOT NULL,
    runs_1 BIGINT NOT NULL,
    runs_2 BIGINT NOT NULL,
    runs_3 BIGINT NOT NULL,
    runs_4 BIGINT NOT NULL,
    runs_5 BIGINT NOT NULL,
    runs_6 BIGINT NOT NULL,
    runs_7 BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    costs TEXT NOT NULL,
    latencies TEXT NOT NULL,
    PRIMARY KEY (key, hour)
  );
  CREATE INDEX runs_cost ON runs (cost_nano) WHERE status IN ('done', 'failed', 'limited', 'cancelled');
  `,
  // Limits on spending, what was spent against each in its window, and what calls under way hold.
  `
  CREATE TABLE limits (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope TEXT NOT NULL,
    unit TEXT NOT NULL,
    span TEXT NOT NULL,
    amount BIGINT NOT NULL,
    warn_at BIGINT,
    timezone TEXT,
    at BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX limits_kind ON limits (scope, unit, span);
  CREATE TABLE accounts (
    id TEXT NOT NULL,
    holder TEXT NOT NULL,
    unit TEXT NOT NULL,
    span TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    told BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX accounts_id ON accounts (id);
  CREATE INDEX accounts_holder ON accounts (holder, ends_at);
  CREATE INDEX accounts_end ON accounts (ends_at);
  CREATE TABLE holds (
    attempt TEXT NOT NULL,
    call TEXT NOT NULL,
    account TEXT NOT NULL,
    amount BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX holds_call ON holds (attempt, call, account);
  CREATE INDEX holds_account ON holds (account, expires_at);
  CREATE INDEX holds_end ON holds (expires_at);
  `,
  // The ledger by day as well as by hour, and found by time as well as by key.
  `
  ALTER TABLE ledger RENAME TO ledger_by_hour;
  CREATE TABLE ledger (
    grain BIGINT NOT NULL,
    period BIGINT NOT NULL,
    key BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    estimated BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    cache_hits BIGINT NOT NULL,
    saved_nano BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    cost_nano BIGINT NOT NULL,
    latency_ms BIGINT NOT NULL,
    runs_0 BIGINT NOT NULL,
    runs_1 BIGINT NOT NULL,
    runs_2 BIGINT NOT NULL,
    runs_3 BIGINT NOT NULL,
    runs_4 BIGINT NOT NULL,
    runs_5 BIGINT NOT NULL,
    runs_6 BIGINT NOT NULL,
    runs_7 BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    costs TEXT NOT NULL,
    latencies TEXT NOT NULL,
    PRIMARY KEY (grain, period, key)
  );
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
  ALTER TABLE ledger ADD COLUMN unbilled BIGINT NOT NULL DEFAULT 0;
  `,
  // Snapshots that a long run goes on from, beside those that let a waiting run be migrated.
  `
  CREATE TABLE folds (
    run BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    body_hash TEXT NOT NULL
  );
  `,
]
