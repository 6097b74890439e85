"""Who is told, what is still to be told, how each attempt went, and what connectors made elsewhere."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from app.db.tables.base import (
    belongs_to,
    changed_in,
    created_at,
    instant,
    metadata,
    properties,
    revision,
    texts,
    updated_at,
    workspace_column,
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, server_default=text("'webhook'")),
    Column("url", Text, nullable=False),  # of a connector: only where it sends, without path or query
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),  # of a connector: what is no secret
    Column("credentials", LargeBinary),  # the rest, sealed
    Column("description", Text),
    texts("event_types"),  # empty means all
    Column("campaign_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),  # empty means all
    texts("bands"),  # empty means all
    Column("lowest_score", SmallInteger),
    Column("highest_score", SmallInteger),
    properties("recipient_properties"),  # key → the values that pass; empty means all
    Column("has_comment", Boolean),
    Column("payload", Text, nullable=False, server_default=text("'full'")),
    Column("template", Text),  # in place of the payload
    Column("template_content_type", Text),
    Column("sealed_options", LargeBinary),  # values of headers, and the key of Delighted's signature
    properties("header_hints"),
    Column("delighted_key_hint", Text),
    Column("delay_seconds", Integer, nullable=False, server_default=text("0")),
    Column("rate_limit_per_second", Integer),  # none: as fast as it answers
    Column("disabled_at", instant),
    Column("disabled_reason", Text),
    created_at(),
    updated_at(),
    Column("deleted_at", instant),
    revision(),
    changed_in(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("delay_seconds BETWEEN 0 AND 3600", name="delay_seconds"),
    CheckConstraint("rate_limit_per_second BETWEEN 1 AND 1000", name="rate_limit_per_second"),
)

endpoint_secrets = Table(
    "endpoint_secrets",
    metadata,
    workspace_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("hint", Text, nullable=False, server_default=text("''")),  # its end; of an ed25519 key, the public key
    created_at(),
    Column("expires_at", instant),  # the end of its overlap after a rotation
    belongs_to("webhook_endpoints", "endpoint_id"),
)

# What connectors made at other services for an answer, so that a retry goes on from there, and a change of the answer
# changes what is there. Found by the answer; of a test send, by the event.
remote_records = Table(
    "remote_records",
    metadata,
    workspace_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("subject_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("remote_id", Text, nullable=False),
    Column("told_revision", Integer, nullable=False),
    Column("made_at", instant, nullable=False),
    Index("ix_remote_records_subject", "workspace_id", "subject_id"),
    Index("ix_remote_records_made", "made_at", postgresql_using="brin"),
    belongs_to("webhook_endpoints", "endpoint_id"),
)

# What connectors that log in have got, for all processes; or whose turn it is to log in.
accesses = Table(
    "accesses",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),  # of the endpoint
    Column("digest", LargeBinary, nullable=False),  # of the settings it was got with
    Column("sealed", LargeBinary),
    Column("token_digest", LargeBinary),
    Column("ends_at", instant),
    Column("claim_id", Uuid),
    Column("claimed_until", instant),
    belongs_to("webhook_endpoints", "id"),
)

# When each endpoint next has something due. One small row each is what workers lock, so that ten thousand tenants
# share fairly and one busy tenant does not hide the rest. Not spread over machines.
endpoint_work = Table(
    "endpoint_work",
    metadata,
    workspace_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("due_at", instant, nullable=False),
    Column("paid_until", instant),  # with a rate limit: nothing more is taken before then
    Index("ix_endpoint_work_due", "due_at"),
    postgresql_with={"fillfactor": 50},
)

# Endpoints whose last attempt failed, over all workers: the state of their circuit breakers. Goes with a success.
endpoint_health = Table(
    "endpoint_health",
    metadata,
    workspace_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("failures", Integer, nullable=False),  # in a row
    Column("failing_since", instant, nullable=False),
    Column("last_failed_at", instant, nullable=False),
    Column("last_failure", Text, nullable=False),
    Column("pauses", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("paused_until", instant),  # afterwards, one delivery at a time until one arrives
    Column("warned_at", instant),
    postgresql_with={"fillfactor": 50},
)

# What is still to be delivered. A claimed row's due_at is the end of its lease: who dies is overtaken by the clock.
deliveries = Table(
    "deliveries",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("endpoint_id", Uuid, nullable=False),
    Column("due_at", instant, nullable=False),
    Column("claim_id", Uuid),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("step", Integer, nullable=False, server_default=text("0")),  # in the retry timetable
    Column("body", JSON),  # what a delayed delivery froze at its first attempt; none means the event's
    Column("last_status", Integer),
    Column("last_failure", Text),
    created_at(),
    Index("uq_deliveries_event_endpoint", "workspace_id", "event_id", "endpoint_id", unique=True),
    Index("ix_deliveries_due", "workspace_id", "endpoint_id", "due_at"),
    Index(
        "ix_deliveries_claimed",
        "workspace_id",
        "endpoint_id",
        "due_at",
        postgresql_where=text("claim_id IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 1000},
)

# Ranges of events that an endpoint is to get after all. A worker goes through them in the order of their ids.
replays = Table(
    "replays",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("since", instant, nullable=False),
    Column("until", instant, nullable=False),
    Column("include_never_attempted", Boolean, nullable=False),
    Column("position", Uuid, nullable=False),  # the last event that was looked at
    Column("replayed", Integer, nullable=False, server_default=text("0")),
    created_at(),
    Column("finished_at", instant),
    Column("is_cancelled", Boolean, nullable=False, server_default=text("false")),
    belongs_to("webhook_endpoints", "endpoint_id"),
    Index("ix_replays_running", "position", postgresql_where=text("finished_at IS NULL")),
)

# Finished deliveries and every attempt, by month, so that the hot table stays small and old months drop in one go.
delivery_log = Table(
    "delivery_log",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("finished_at", instant, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("endpoint_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("body", JSON),
    Column("last_status", Integer),
    Column("last_failure", Text),
    Column("created_at", instant, nullable=False),
    CheckConstraint("state IN ('delivered', 'exhausted', 'cancelled')", name="state"),
    Index("ix_delivery_log_endpoint", "workspace_id", "endpoint_id", "id"),
    Index("ix_delivery_log_event", "workspace_id", "event_id"),
    Index("ix_delivery_log_exhausted", "workspace_id", "id", postgresql_where=text("state = 'exhausted'")),
    postgresql_partition_by="RANGE (finished_at)",
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    workspace_column(),
    Column("delivery_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", instant, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("status", Integer),
    Column("failure", Text),
    Column("reply_head", LargeBinary, nullable=False, server_default=text("''")),
    Column("request_head", Text, nullable=False, server_default=text("''")),  # its first line says where it went
    Index("ix_delivery_attempts_endpoint", "workspace_id", "endpoint_id", "started_at"),
    postgresql_partition_by="RANGE (started_at)",
)
