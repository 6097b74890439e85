CREATE TABLE deliveries (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    event_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    claim_id UUID,
    attempts INTEGER DEFAULT 0 NOT NULL,
    step INTEGER DEFAULT 0 NOT NULL,
    body JSON,
    last_status INTEGER,
    last_failure TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_deliveries PRIMARY KEY (workspace_id, id)
)
 WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE INDEX ix_deliveries_claimed ON deliveries (workspace_id, endpoint_id, due_at) WHERE claim_id IS NOT NULL;

CREATE INDEX ix_deliveries_due ON deliveries (workspace_id, endpoint_id, due_at);

CREATE UNIQUE INDEX uq_deliveries_event_endpoint ON deliveries (workspace_id, event_id, endpoint_id);

CREATE TABLE delivery_attempts (
    workspace_id UUID NOT NULL,
    delivery_id UUID NOT NULL,
    number INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    endpoint_id UUID NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    failure TEXT,
    reply_head BYTEA DEFAULT '' NOT NULL,
    request_head TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_delivery_attempts PRIMARY KEY (workspace_id, delivery_id, number, started_at)
)
 PARTITION BY RANGE (started_at);

CREATE INDEX ix_delivery_attempts_endpoint ON delivery_attempts (workspace_id, endpoint_id, started_at);

CREATE TABLE delivery_log (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    event_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    body JSON,
    last_status INTEGER,
    last_failure TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_delivery_log PRIMARY KEY (workspace_id, id, finished_at),
    CONSTRAINT ck_delivery_log_state CHECK (state IN ('delivered', 'exhausted', 'cancelled'))
)
 PARTITION BY RANGE (finished_at);

CREATE INDEX ix_delivery_log_endpoint ON delivery_log (workspace_id, endpoint_id, id);

CREATE INDEX ix_delivery_log_event ON delivery_log (workspace_id, event_id);

CREATE INDEX ix_delivery_log_exhausted ON delivery_log (workspace_id, id) WHERE state = 'exhausted';

CREATE TABLE endpoint_health (
    workspace_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    failures INTEGER NOT NULL,
    failing_since TIMESTAMP WITH TIME ZONE NOT NULL,
    last_failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_failure TEXT NOT NULL,
    pauses INTEGER DEFAULT 0 NOT NULL,
    paused_until TIMESTAMP WITH TIME ZONE,
    warned_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_endpoint_health PRIMARY KEY (workspace_id, endpoint_id)
)
 WITH (fillfactor = 50);

CREATE TABLE endpoint_work (
    workspace_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paid_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_endpoint_work PRIMARY KEY (workspace_id, endpoint_id)
)
 WITH (fillfactor = 50);

CREATE INDEX ix_endpoint_work_due ON endpoint_work (due_at);

CREATE TABLE event_queue (
    workspace_id UUID NOT NULL,
    event_id UUID NOT NULL,
    endpoint_id UUID,
    CONSTRAINT pk_event_queue PRIMARY KEY (workspace_id, event_id)
)
 WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE TABLE events (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    type TEXT NOT NULL,
    schema_version INTEGER DEFAULT 1 NOT NULL,
    campaign_id UUID,
    recipient_id UUID,
    response_id UUID,
    band TEXT,
    previous_band TEXT,
    score SMALLINT,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    body JSON NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (workspace_id, id)
);

CREATE INDEX ix_events_created ON events USING brin (created_at);

CREATE INDEX ix_events_recipient ON events (workspace_id, recipient_id) WHERE recipient_id IS NOT NULL;

CREATE INDEX ix_events_workspace_id_changed_in ON events (workspace_id, changed_in);

CREATE TABLE idempotency_keys (
    workspace_id UUID NOT NULL,
    key_digest UUID NOT NULL,
    request_digest UUID NOT NULL,
    status SMALLINT NOT NULL,
    ids UUID[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (workspace_id, key_digest)
);

CREATE INDEX ix_idempotency_keys_created ON idempotency_keys (created_at);

CREATE TABLE instance (
    only_row BOOLEAN DEFAULT true NOT NULL,
    id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    adopted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    generation INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_instance PRIMARY KEY (only_row),
    CONSTRAINT ck_instance_only_row CHECK (only_row)
);

CREATE TABLE instance_keys (
    purpose TEXT NOT NULL,
    id UUID NOT NULL,
    ciphertext BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_instance_keys PRIMARY KEY (purpose)
);

CREATE TABLE score_rollups (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    property_key TEXT NOT NULL,
    property_value TEXT NOT NULL,
    counted_on DATE NOT NULL,
    channel TEXT NOT NULL,
    survey_version INTEGER NOT NULL,
    wave INTEGER NOT NULL,
    s0 INTEGER DEFAULT 0 NOT NULL,
    s1 INTEGER DEFAULT 0 NOT NULL,
    s2 INTEGER DEFAULT 0 NOT NULL,
    s3 INTEGER DEFAULT 0 NOT NULL,
    s4 INTEGER DEFAULT 0 NOT NULL,
    s5 INTEGER DEFAULT 0 NOT NULL,
    s6 INTEGER DEFAULT 0 NOT NULL,
    s7 INTEGER DEFAULT 0 NOT NULL,
    s8 INTEGER DEFAULT 0 NOT NULL,
    s9 INTEGER DEFAULT 0 NOT NULL,
    s10 INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_score_rollups PRIMARY KEY (workspace_id, campaign_id, property_key, property_value, counted_on, channel, survey_version, wave)
)
 WITH (fillfactor = 50);

CREATE TABLE suppressions (
    workspace_id UUID NOT NULL,
    address_hmac BYTEA NOT NULL,
    unsubscribed_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    erased_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_suppressions PRIMARY KEY (workspace_id, address_hmac)
);

CREATE TABLE tracked_values (
    workspace_id UUID NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT pk_tracked_values PRIMARY KEY (workspace_id, key, value)
);

CREATE TABLE workspaces (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    mode TEXT NOT NULL,
    sibling_id UUID,
    time_zone TEXT DEFAULT 'UTC' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_workspaces PRIMARY KEY (id),
    CONSTRAINT ck_workspaces_mode CHECK (mode IN ('live', 'test'))
);

CREATE TABLE accounts (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT,
    owner TEXT,
    revenue NUMERIC(18, 2),
    tier TEXT,
    renews_on DATE,
    properties JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_accounts_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX ix_accounts_workspace_id_changed_in ON accounts (workspace_id, changed_in);

CREATE UNIQUE INDEX uq_accounts_external_id ON accounts (workspace_id, external_id);

CREATE TABLE api_keys (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT[] DEFAULT '{}' NOT NULL,
    allowed_origins TEXT[] DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_api_keys_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_api_keys_kind CHECK (kind IN ('secret', 'publishable')),
    CONSTRAINT uq_api_keys_token_hash UNIQUE (token_hash)
);

CREATE TABLE dashboard_sessions (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    api_key_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_dashboard_sessions PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_dashboard_sessions_api_keys FOREIGN KEY(workspace_id, api_key_id) REFERENCES api_keys (workspace_id, id),
    CONSTRAINT uq_dashboard_sessions_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_dashboard_sessions_created ON dashboard_sessions (created_at);

CREATE TABLE campaigns (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    goal TEXT,
    metric TEXT NOT NULL,
    state TEXT DEFAULT 'draft' NOT NULL,
    one_answer_per_recipient BOOLEAN DEFAULT false NOT NULL,
    survey_version INTEGER DEFAULT 1 NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE,
    ends_at TIMESTAMP WITH TIME ZONE,
    launched_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    archived_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_campaigns PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_campaigns_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_campaigns_kind CHECK (kind IN ('relationship', 'transactional')),
    CONSTRAINT ck_campaigns_metric CHECK (metric IN ('nps', 'csat', 'ces', 'stars', 'thumbs')),
    CONSTRAINT ck_campaigns_state CHECK (state IN ('draft', 'scheduled', 'running', 'paused', 'completed', 'archived')),
    CONSTRAINT ck_campaigns_ends_after_start CHECK (ends_at > starts_at)
);

CREATE INDEX ix_campaigns_due_start ON campaigns (starts_at) WHERE state = 'scheduled';

CREATE INDEX ix_campaigns_due_end ON campaigns (ends_at) WHERE state IN ('scheduled', 'running');

CREATE TABLE imports (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    format TEXT NOT NULL,
    campaign_id UUID,
    endpoint_id UUID,
    state TEXT NOT NULL,
    bytes BIGINT DEFAULT 0 NOT NULL,
    bytes_read BIGINT DEFAULT 0 NOT NULL,
    rows_read INTEGER DEFAULT 0 NOT NULL,
    rows_created INTEGER DEFAULT 0 NOT NULL,
    rows_updated INTEGER DEFAULT 0 NOT NULL,
    rows_unchanged INTEGER DEFAULT 0 NOT NULL,
    rows_rejected INTEGER DEFAULT 0 NOT NULL,
    failure TEXT,
    claim_id UUID,
    lease_until TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_imports PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_imports_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_imports_format CHECK (format IN ('csv', 'ndjson')),
    CONSTRAINT ck_imports_state CHECK (state IN ('receiving', 'queued', 'running', 'completed', 'failed'))
);

CREATE INDEX ix_imports_waiting ON imports (created_at) WHERE state IN ('queued', 'running');

CREATE TABLE tracked_properties (
    workspace_id UUID NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    buckets JSONB,
    value_limit INTEGER NOT NULL,
    state TEXT DEFAULT 'declaring' NOT NULL,
    scanned_to UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_tracked_properties PRIMARY KEY (workspace_id, key),
    CONSTRAINT fk_tracked_properties_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_tracked_properties_source CHECK (source IN ('recipient', 'response')),
    CONSTRAINT ck_tracked_properties_kind CHECK (kind IN ('text', 'number', 'date')),
    CONSTRAINT ck_tracked_properties_state CHECK (state IN ('declaring', 'tracked', 'removing'))
);

CREATE TABLE webhook_endpoints (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT DEFAULT 'webhook' NOT NULL,
    url TEXT NOT NULL,
    settings JSONB DEFAULT '{}' NOT NULL,
    credentials BYTEA,
    description TEXT,
    event_types TEXT[] DEFAULT '{}' NOT NULL,
    campaign_ids UUID[] DEFAULT '{}' NOT NULL,
    bands TEXT[] DEFAULT '{}' NOT NULL,
    lowest_score SMALLINT,
    highest_score SMALLINT,
    recipient_properties JSONB DEFAULT '{}'::jsonb NOT NULL,
    has_comment BOOLEAN,
    payload TEXT DEFAULT 'full' NOT NULL,
    template TEXT,
    template_content_type TEXT,
    sealed_options BYTEA,
    header_hints JSONB DEFAULT '{}'::jsonb NOT NULL,
    delighted_key_hint TEXT,
    delay_seconds INTEGER DEFAULT 0 NOT NULL,
    rate_limit_per_second INTEGER,
    disabled_at TIMESTAMP WITH TIME ZONE,
    disabled_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_webhook_endpoints PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_webhook_endpoints_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_webhook_endpoints_delay_seconds CHECK (delay_seconds BETWEEN 0 AND 3600),
    CONSTRAINT ck_webhook_endpoints_rate_limit_per_second CHECK (rate_limit_per_second BETWEEN 1 AND 1000)
);

CREATE TABLE endpoint_secrets (
    workspace_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    id UUID NOT NULL,
    ciphertext BYTEA NOT NULL,
    hint TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_endpoint_secrets PRIMARY KEY (workspace_id, endpoint_id, id),
    CONSTRAINT fk_endpoint_secrets_webhook_endpoints FOREIGN KEY(workspace_id, endpoint_id) REFERENCES webhook_endpoints (workspace_id, id)
);

CREATE TABLE remote_records (
    workspace_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    subject_id UUID NOT NULL,
    name TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    told_revision INTEGER NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_remote_records PRIMARY KEY (workspace_id, endpoint_id, subject_id, name),
    CONSTRAINT fk_remote_records_webhook_endpoints FOREIGN KEY(workspace_id, endpoint_id) REFERENCES webhook_endpoints (workspace_id, id)
);

CREATE INDEX ix_remote_records_made ON remote_records USING brin (made_at);

CREATE INDEX ix_remote_records_subject ON remote_records (workspace_id, subject_id);

CREATE TABLE accesses (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    digest BYTEA NOT NULL,
    sealed BYTEA,
    token_digest BYTEA,
    ends_at TIMESTAMP WITH TIME ZONE,
    claim_id UUID,
    claimed_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_accesses PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_accesses_webhook_endpoints FOREIGN KEY(workspace_id, id) REFERENCES webhook_endpoints (workspace_id, id)
);

CREATE TABLE follow_ups (
    workspace_id UUID NOT NULL,
    response_id UUID NOT NULL,
    state TEXT NOT NULL,
    owner TEXT,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_follow_ups PRIMARY KEY (workspace_id, response_id),
    CONSTRAINT fk_follow_ups_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_follow_ups_state CHECK (state IN ('assigned', 'resolved'))
);

CREATE INDEX ix_follow_ups_unresolved ON follow_ups (workspace_id) WHERE resolved_at IS NULL;

CREATE TABLE pulls (
    workspace_id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    every_hours INTEGER NOT NULL,
    fields JSON NOT NULL,
    cursor JSONB,
    companies_cursor JSONB,
    position JSONB,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    claim_id UUID,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    import_id UUID,
    chunk_count INTEGER DEFAULT 0 NOT NULL,
    last_import_id UUID,
    failures INTEGER DEFAULT 0 NOT NULL,
    last_failure TEXT,
    last_reply TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_pulls PRIMARY KEY (workspace_id, endpoint_id),
    CONSTRAINT fk_pulls_webhook_endpoints FOREIGN KEY(workspace_id, endpoint_id) REFERENCES webhook_endpoints (workspace_id, id),
    CONSTRAINT ck_pulls_every_hours CHECK (every_hours BETWEEN 1 AND 168)
);

CREATE INDEX ix_pulls_due ON pulls (due_at);

CREATE TABLE authorizations (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    settings JSONB NOT NULL,
    sealed BYTEA,
    state_digest BYTEA NOT NULL,
    redirect_url TEXT NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    claim_id UUID,
    failure TEXT,
    last_reply TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_authorizations PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_authorizations_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_authorizations_state CHECK (state IN ('waiting', 'exchanging', 'granted', 'used', 'failed'))
);

CREATE INDEX ix_authorizations_due ON authorizations (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE pulled_pages (
    workspace_id UUID NOT NULL,
    import_id UUID NOT NULL,
    first_line INTEGER NOT NULL,
    record_ids TEXT[] DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_pulled_pages PRIMARY KEY (workspace_id, import_id, first_line),
    CONSTRAINT fk_pulled_pages_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX ix_pulled_pages_created ON pulled_pages USING brin (created_at);

CREATE TABLE replays (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    endpoint_id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    include_never_attempted BOOLEAN NOT NULL,
    position UUID NOT NULL,
    replayed INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    is_cancelled BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_replays PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_replays_webhook_endpoints FOREIGN KEY(workspace_id, endpoint_id) REFERENCES webhook_endpoints (workspace_id, id)
);

CREATE INDEX ix_replays_running ON replays (position) WHERE finished_at IS NULL;

CREATE TABLE import_chunks (
    workspace_id UUID NOT NULL,
    import_id UUID NOT NULL,
    number INTEGER NOT NULL,
    bytes BYTEA NOT NULL,
    CONSTRAINT pk_import_chunks PRIMARY KEY (workspace_id, import_id, number),
    CONSTRAINT fk_import_chunks_imports FOREIGN KEY(workspace_id, import_id) REFERENCES imports (workspace_id, id)
);

-- Read twice and dropped: compressing it is not worth the time.
ALTER TABLE import_chunks ALTER bytes SET STORAGE EXTERNAL;

CREATE TABLE import_errors (
    workspace_id UUID NOT NULL,
    import_id UUID NOT NULL,
    line INTEGER NOT NULL,
    code TEXT NOT NULL,
    field TEXT,
    detail TEXT NOT NULL,
    CONSTRAINT pk_import_errors PRIMARY KEY (workspace_id, import_id, line),
    CONSTRAINT fk_import_errors_imports FOREIGN KEY(workspace_id, import_id) REFERENCES imports (workspace_id, id)
);

CREATE TABLE recipients (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    external_id TEXT,
    email TEXT,
    phone TEXT,
    name TEXT,
    locale TEXT,
    time_zone TEXT,
    account_id UUID,
    properties JSONB DEFAULT '{}'::jsonb NOT NULL,
    unsubscribed_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    swept_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_recipients PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_recipients_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT fk_recipients_accounts FOREIGN KEY(workspace_id, account_id) REFERENCES accounts (workspace_id, id)
);

CREATE INDEX ix_recipients_account ON recipients (workspace_id, account_id) WHERE account_id IS NOT NULL;

CREATE INDEX ix_recipients_workspace_id_changed_in ON recipients (workspace_id, changed_in);

CREATE INDEX ix_recipients_unswept ON recipients (deleted_at) WHERE deleted_at IS NOT NULL AND swept_at IS NULL;

CREATE UNIQUE INDEX uq_recipients_email ON recipients (workspace_id, email) WHERE email IS NOT NULL;

CREATE UNIQUE INDEX uq_recipients_external_id ON recipients (workspace_id, external_id) WHERE external_id IS NOT NULL;

CREATE UNIQUE INDEX uq_recipients_phone ON recipients (workspace_id, phone) WHERE phone IS NOT NULL;

CREATE TABLE survey_versions (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    version INTEGER NOT NULL,
    change TEXT NOT NULL,
    default_language TEXT NOT NULL,
    languages TEXT[] DEFAULT '{}' NOT NULL,
    content JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_survey_versions PRIMARY KEY (workspace_id, campaign_id, version),
    CONSTRAINT fk_survey_versions_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id),
    CONSTRAINT ck_survey_versions_change CHECK (change IN ('first', 'typo', 'wording'))
);

CREATE TABLE campaign_recipients (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    recipient_id UUID NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_campaign_recipients PRIMARY KEY (workspace_id, campaign_id, recipient_id),
    CONSTRAINT fk_campaign_recipients_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id),
    CONSTRAINT fk_campaign_recipients_recipients FOREIGN KEY(workspace_id, recipient_id) REFERENCES recipients (workspace_id, id)
);

CREATE TABLE responses (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    survey_version INTEGER NOT NULL,
    recipient_id UUID,
    slot TEXT NOT NULL,
    occasion TEXT,
    import_id TEXT,
    client_ref UUID,
    client_sequences JSONB,
    client_key_id UUID,
    idempotency_key UUID,
    request_digest UUID,
    channel TEXT NOT NULL,
    score SMALLINT NOT NULL,
    comment TEXT,
    language TEXT,
    may_contact BOOLEAN,
    properties JSONB DEFAULT '{}'::jsonb NOT NULL,
    recipient_properties JSONB,
    segments JSONB DEFAULT '{}'::jsonb NOT NULL,
    counted_on DATE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    excluded_at TIMESTAMP WITH TIME ZONE,
    excluded_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_responses PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_responses_survey_versions FOREIGN KEY(workspace_id, campaign_id, survey_version) REFERENCES survey_versions (workspace_id, campaign_id, version),
    CONSTRAINT ck_responses_score CHECK (score BETWEEN 0 AND 10)
);

CREATE INDEX ix_responses_workspace_id_campaign_id_counted_on ON responses (workspace_id, campaign_id, counted_on);

CREATE INDEX ix_responses_workspace_id_campaign_id_id ON responses (workspace_id, campaign_id, id);

CREATE INDEX ix_responses_workspace_id_changed_in ON responses (workspace_id, changed_in);

CREATE UNIQUE INDEX uq_responses_client_ref ON responses (workspace_id, campaign_id, client_ref) WHERE client_ref IS NOT NULL;

CREATE UNIQUE INDEX uq_responses_idempotency_key ON responses (workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE UNIQUE INDEX uq_responses_import_id ON responses (workspace_id, campaign_id, import_id) WHERE import_id IS NOT NULL;

CREATE UNIQUE INDEX uq_responses_slot ON responses (workspace_id, recipient_id, campaign_id, slot) WHERE recipient_id IS NOT NULL;

CREATE TABLE response_revisions (
    workspace_id UUID NOT NULL,
    response_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    score SMALLINT NOT NULL,
    comment TEXT,
    excluded_reason TEXT,
    change TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_response_revisions PRIMARY KEY (workspace_id, response_id, revision),
    CONSTRAINT fk_response_revisions_responses FOREIGN KEY(workspace_id, response_id) REFERENCES responses (workspace_id, id) ON DELETE CASCADE
);

-- Months are added ahead of time; whatever falls outside them lands here instead of failing.
CREATE TABLE delivery_log_default PARTITION OF delivery_log DEFAULT;

CREATE TABLE delivery_attempts_default PARTITION OF delivery_attempts DEFAULT;

-- RFC 9562 version 7, for rows that are made inside a statement. PostgreSQL has its own only from 18 on.
CREATE FUNCTION uuid_v7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid
$$;

-- Which slice of the answers a property's value is counted in; the same rules as app/domain/scores/segment.py.
CREATE FUNCTION segment_label(value jsonb, kind text, buckets jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    type constant text := jsonb_typeof(value);
    content constant text := value #>> '{}';
    ends numeric[];
    place integer;
BEGIN
    IF kind = 'text' THEN
        RETURN CASE type
            WHEN 'string' THEN nullif(left(content, 100), '')
            WHEN 'number' THEN left(trim_scale(content::numeric)::text, 100)
            WHEN 'boolean' THEN content
        END;
    ELSIF kind = 'number' AND type = 'number' THEN
        IF jsonb_typeof(buckets) IS DISTINCT FROM 'array' OR buckets = '[]' THEN
            RETURN left(trim_scale(content::numeric)::text, 100);
        END IF;
        ends := ARRAY(
            SELECT trim_scale(e.boundary::numeric)
            FROM jsonb_array_elements_text(buckets) WITH ORDINALITY AS e (boundary, place) ORDER BY e.place
        );
        place := width_bucket(content::numeric, ends);
        RETURN CASE place
            WHEN 0 THEN '<' || ends[1]
            WHEN cardinality(ends) THEN '≥' || ends[place]
            ELSE ends[place] || '–<' || ends[place + 1]
        END;
    ELSIF kind = 'date' AND type = 'string'
        AND content ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ].*)?$'
    THEN
        RETURN CASE buckets #>> '{}'
            WHEN 'year' THEN left(content, 4)
            WHEN 'quarter' THEN left(content, 4) || '-Q' || (substr(content, 6, 2)::integer + 2) / 3
            WHEN 'month' THEN left(content, 7)
            ELSE left(content, 10)
        END;
    END IF;
    RETURN NULL;
END
$$;
