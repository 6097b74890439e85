ALTER TABLE workspaces
    ADD COLUMN quarantine_days INTEGER DEFAULT 90 NOT NULL,
    ADD COLUMN brand JSONB DEFAULT '{}'::jsonb NOT NULL,
    ADD COLUMN sender JSONB DEFAULT '{}'::jsonb NOT NULL,
    ADD CONSTRAINT ck_workspaces_quarantine_days CHECK (quarantine_days BETWEEN 0 AND 3650);

ALTER TABLE campaigns
    ADD COLUMN is_anonymous BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN has_list BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN asking JSONB,
    ADD COLUMN plan_due_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN replan_in xid8,
    ADD COLUMN second_look_behind UUID,
    ADD COLUMN scheduling_failed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN paused_reason TEXT;

ALTER TABLE recipients
    ADD COLUMN bounced_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN complained_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE responses
    ADD COLUMN invitation_id UUID,
    ADD COLUMN wave INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN certainty TEXT DEFAULT 'confirmed' NOT NULL,
    ADD COLUMN answers JSONB,
    ADD CONSTRAINT ck_responses_certainty CHECK (certainty IN ('confirmed', 'probable'));

ALTER TABLE response_revisions
    ADD COLUMN answers JSONB;

CREATE INDEX ix_campaigns_plan_due ON campaigns (plan_due_at) WHERE plan_due_at IS NOT NULL;

CREATE TABLE logos (
    workspace_id UUID NOT NULL,
    digest TEXT NOT NULL,
    kind TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_logos PRIMARY KEY (workspace_id, digest),
    CONSTRAINT fk_logos_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_logos_kind CHECK (kind IN ('png', 'jpeg', 'gif', 'webp')),
    CONSTRAINT ck_logos_bytes CHECK (octet_length(bytes) <= 100000)
);

CREATE TABLE reward_codes (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    code TEXT NOT NULL,
    holder_id UUID,
    given_at TIMESTAMP WITH TIME ZONE,
    place DOUBLE PRECISION DEFAULT random() NOT NULL,
    CONSTRAINT pk_reward_codes PRIMARY KEY (workspace_id, campaign_id, code),
    CONSTRAINT fk_reward_codes_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id),
    CONSTRAINT ck_reward_codes_given CHECK ((holder_id IS NULL) = (given_at IS NULL))
);

CREATE INDEX ix_reward_codes_free ON reward_codes (workspace_id, campaign_id, place) WHERE holder_id IS NULL;

CREATE UNIQUE INDEX uq_reward_codes_holder ON reward_codes (workspace_id, campaign_id, holder_id) WHERE holder_id IS NOT NULL;

CREATE TABLE waves (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    number INTEGER NOT NULL,
    state TEXT DEFAULT 'selecting' NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    audience_count INTEGER,
    selected_count INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_waves PRIMARY KEY (workspace_id, campaign_id, number),
    CONSTRAINT fk_waves_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id),
    CONSTRAINT ck_waves_number CHECK (number > 0),
    CONSTRAINT ck_waves_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT ck_waves_state CHECK (state IN ('selecting', 'open', 'closed'))
);

CREATE INDEX ix_waves_open ON waves (ends_at) WHERE state <> 'closed';

CREATE TABLE touchpoints (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    external_id TEXT,
    recipient_id UUID NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    properties JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_touchpoints PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_touchpoints_recipients FOREIGN KEY(workspace_id, recipient_id) REFERENCES recipients (workspace_id, id)
);

CREATE INDEX ix_touchpoints_recipient ON touchpoints (workspace_id, recipient_id, occurred_at);

CREATE INDEX ix_touchpoints_workspace_id_changed_in ON touchpoints (workspace_id, changed_in);

CREATE UNIQUE INDEX uq_touchpoints_external_id ON touchpoints (workspace_id, name, external_id) WHERE external_id IS NOT NULL;

CREATE TABLE invitations (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    wave INTEGER DEFAULT 0 NOT NULL,
    recipient_id UUID NOT NULL,
    slot TEXT NOT NULL,
    touchpoint_id UUID,
    channel TEXT DEFAULT 'email' NOT NULL,
    survey_version INTEGER NOT NULL,
    variant TEXT,
    state TEXT DEFAULT 'planned' NOT NULL,
    skip_reason TEXT,
    due_at TIMESTAMP WITH TIME ZONE,
    latest_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    is_clock_stale BOOLEAN DEFAULT false NOT NULL,
    is_cancelled BOOLEAN DEFAULT false NOT NULL,
    token_hash BYTEA,
    unsubscribe_hash BYTEA,
    claim_id UUID,
    claimed_until TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    asked_before_at TIMESTAMP WITH TIME ZONE,
    reminder_count SMALLINT DEFAULT 0 NOT NULL,
    delivered_at TIMESTAMP WITH TIME ZONE,
    page_opened_at TIMESTAMP WITH TIME ZONE,
    gestured_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE,
    commented_at TIMESTAMP WITH TIME ZONE,
    bounced_at TIMESTAMP WITH TIME ZONE,
    complained_at TIMESTAMP WITH TIME ZONE,
    unsubscribed_at TIMESTAMP WITH TIME ZONE,
    response_id UUID,
    scanner_hits INTEGER DEFAULT 0 NOT NULL,
    flagged_at TIMESTAMP WITH TIME ZONE,
    flag_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT pk_invitations PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_invitations_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id),
    CONSTRAINT fk_invitations_recipients FOREIGN KEY(workspace_id, recipient_id) REFERENCES recipients (workspace_id, id),
    CONSTRAINT ck_invitations_state CHECK (state IN ('planned', 'sending', 'sent', 'answered', 'expired', 'skipped', 'released', 'unknown', 'failed')),
    CONSTRAINT ck_invitations_skip_reason CHECK ((state = 'skipped') = (skip_reason IS NOT NULL)),
    CONSTRAINT ck_invitations_channel CHECK (channel IN ('email', 'link')),
    CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT uq_invitations_unsubscribe_hash UNIQUE (unsubscribe_hash)
)
 WITH (fillfactor = 80);

CREATE INDEX ix_invitations_claimed ON invitations (claimed_until) WHERE claim_id IS NOT NULL;

CREATE INDEX ix_invitations_clock_stale ON invitations (id) WHERE is_clock_stale;

CREATE INDEX ix_invitations_due ON invitations (workspace_id, campaign_id, due_at) WHERE due_at IS NOT NULL AND claim_id IS NULL;

CREATE INDEX ix_invitations_expiring ON invitations (expires_at) WHERE state = 'sent';

CREATE INDEX ix_invitations_touchpoint ON invitations (workspace_id, touchpoint_id) WHERE touchpoint_id IS NOT NULL;

CREATE INDEX ix_invitations_unscheduled ON invitations (id) WHERE state = 'planned' AND due_at IS NULL;

CREATE INDEX ix_invitations_workspace_id_campaign_id_wave_state ON invitations (workspace_id, campaign_id, wave, state);

CREATE INDEX ix_invitations_workspace_id_changed_in ON invitations (workspace_id, changed_in);

CREATE UNIQUE INDEX uq_invitations_slot ON invitations (workspace_id, recipient_id, campaign_id, slot);

CREATE TABLE messages (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    invitation_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    kind TEXT NOT NULL,
    domain TEXT NOT NULL,
    state TEXT DEFAULT 'sending' NOT NULL,
    failure TEXT,
    reply_code INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    bounced_at TIMESTAMP WITH TIME ZONE,
    bounce_kind TEXT,
    complained_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_messages PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_messages_invitations FOREIGN KEY(workspace_id, invitation_id) REFERENCES invitations (workspace_id, id),
    CONSTRAINT ck_messages_kind CHECK (kind IN ('first', 'reminder')),
    CONSTRAINT ck_messages_state CHECK (state IN ('sending', 'sent', 'failed', 'unknown')),
    CONSTRAINT ck_messages_bounce_kind CHECK (bounce_kind IN ('hard', 'soft'))
);

CREATE INDEX ix_messages_campaign ON messages (workspace_id, campaign_id, created_at);

CREATE INDEX ix_messages_created ON messages (workspace_id, created_at);

CREATE INDEX ix_messages_invitation ON messages (workspace_id, invitation_id);

CREATE TABLE sending_days (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    sent_on DATE NOT NULL,
    sent_count INTEGER DEFAULT 0 NOT NULL,
    bounced_count INTEGER DEFAULT 0 NOT NULL,
    complained_count INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_sending_days PRIMARY KEY (workspace_id, campaign_id, sent_on),
    CONSTRAINT fk_sending_days_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id)
);

CREATE TABLE sending_work (
    workspace_id UUID NOT NULL,
    campaign_id UUID NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sending_work PRIMARY KEY (workspace_id, campaign_id),
    CONSTRAINT fk_sending_work_campaigns FOREIGN KEY(workspace_id, campaign_id) REFERENCES campaigns (workspace_id, id)
)
 WITH (fillfactor = 50);

CREATE INDEX ix_sending_work_due ON sending_work (due_at);

CREATE TABLE captured_mails (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    recipient_id UUID,
    purpose TEXT NOT NULL,
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    raw BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_captured_mails PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_captured_mails_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_captured_mails_purpose CHECK (purpose IN ('first', 'reminder', 'test', 'notice'))
);

CREATE INDEX ix_captured_mails_created ON captured_mails (workspace_id, created_at);

CREATE INDEX ix_captured_mails_recipient ON captured_mails (workspace_id, recipient_id);

CREATE TABLE mail_sources (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    secret BYTEA,
    topic_arn TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    heard_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_mail_sources PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_mail_sources_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT uq_mail_sources_key_hash UNIQUE (key_hash),
    CONSTRAINT ck_mail_sources_kind CHECK (kind IN ('ses', 'sendgrid', 'postmark', 'mailgun', 'dsn'))
);

CREATE TABLE sns_posts (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    body TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_sns_posts PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_sns_posts_mail_sources FOREIGN KEY(workspace_id, source_id) REFERENCES mail_sources (workspace_id, id)
);

CREATE INDEX ix_sns_posts_due ON sns_posts (due_at);

CREATE TABLE mail_tokens (
    workspace_id UUID NOT NULL,
    digest BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_mail_tokens PRIMARY KEY (workspace_id, digest),
    CONSTRAINT fk_mail_tokens_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id)
);

CREATE INDEX ix_mail_tokens_created ON mail_tokens (created_at);

CREATE TABLE outgoing_mails (
    workspace_id UUID NOT NULL,
    id UUID NOT NULL,
    campaign_id UUID,
    purpose TEXT NOT NULL,
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    envelope_sender TEXT NOT NULL,
    raw BYTEA NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    failure TEXT,
    reply_code INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_outgoing_mails PRIMARY KEY (workspace_id, id),
    CONSTRAINT fk_outgoing_mails_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_outgoing_mails_purpose CHECK (purpose IN ('test', 'notice')),
    CONSTRAINT ck_outgoing_mails_state CHECK (state IN ('waiting', 'sent', 'captured', 'failed', 'unknown')),
    CONSTRAINT ck_outgoing_mails_due_at CHECK ((state = 'waiting') = (due_at IS NOT NULL))
);

CREATE INDEX ix_outgoing_mails_created ON outgoing_mails (created_at);

CREATE INDEX ix_outgoing_mails_due ON outgoing_mails (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE sender_domains (
    workspace_id UUID NOT NULL,
    domain TEXT NOT NULL,
    state TEXT DEFAULT 'unchecked' NOT NULL,
    findings JSONB DEFAULT '[]'::jsonb NOT NULL,
    found JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sender_domains PRIMARY KEY (workspace_id, domain),
    CONSTRAINT fk_sender_domains_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces (id),
    CONSTRAINT ck_sender_domains_state CHECK (state IN ('unchecked', 'passed', 'failed', 'unknown')),
    CONSTRAINT ck_sender_domains_checked_at CHECK ((state = 'unchecked') = (checked_at IS NULL))
);

CREATE INDEX ix_sender_domains_due ON sender_domains (due_at);
