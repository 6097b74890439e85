"""What happened, for whoever reads the feed, and what of it has still to be fanned out."""

from sqlalchemy import Column, Index, Integer, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSON

from app.db.tables.base import changed_in, created_at, instant, metadata, revision, workspace_column

# The only stored body of what is announced. `changed_in` with a snapshot horizon is the order of the feed.
events = Table(
    "events",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("schema_version", Integer, nullable=False, server_default=text("1")),
    Column("campaign_id", Uuid),
    Column("recipient_id", Uuid),
    Column("response_id", Uuid),
    Column("band", Text),
    Column("previous_band", Text),
    Column("score", SmallInteger),
    Column("occurred_at", instant, nullable=False),
    Column("body", JSON, nullable=False),  # the `data` of the payload; json, not jsonb: written and sent as text
    created_at(),
    revision(),  # of the thing it is about
    changed_in(),
    Index(None, "workspace_id", "changed_in"),
    Index(
        "ix_events_recipient",
        "workspace_id",
        "recipient_id",
        postgresql_where=text("recipient_id IS NOT NULL"),
    ),
    Index("ix_events_created", "created_at", postgresql_using="brin"),
)

# One row per event not yet fanned out. Small, and not spread over machines.
event_queue = Table(
    "event_queue",
    metadata,
    workspace_column(),
    Column("event_id", Uuid, primary_key=True),
    # only this endpoint (a test send); none means whoever subscribed
    Column("endpoint_id", Uuid),
    postgresql_with={"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 1000},
)
