"""Answers as they stand, and what each said before it was amended."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.base import (
    belongs_to,
    changed_in,
    created_at,
    instant,
    metadata,
    properties,
    revision,
    updated_at,
    workspace_column,
)

responses = Table(
    "responses",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, nullable=False),
    Column("survey_version", Integer, nullable=False),
    Column("recipient_id", Uuid),
    Column("invitation_id", Uuid),  # that it answers; never of an anonymous campaign
    Column("wave", Integer, nullable=False, server_default=text("0")),
    Column("certainty", Text, nullable=False, server_default=text("'confirmed'")),
    Column("slot", Text, nullable=False),  # what makes it the same answer: occasion, campaign, or its own id
    Column("occasion", Text),
    Column("import_id", Text),  # the caller's id of an answer recorded elsewhere
    Column("client_ref", Uuid),  # the id a browser gave it; never ours
    Column("client_sequences", JSONB),  # of the part of a browser that each field comes from
    Column("client_key_id", Uuid),  # the publishable key it came through
    Column("idempotency_key", Uuid),  # digest of API key, route and Idempotency-Key; forgotten after 24 h
    Column("request_digest", Uuid),  # to tell a retry from another request with the same key
    Column("channel", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("comment", Text),
    Column("language", Text),
    Column("may_contact", Boolean),
    Column("answers", JSONB),  # to further questions, by their ids
    properties(),
    Column("recipient_properties", JSONB),  # as they were when the answer came
    Column("segments", JSONB, nullable=False, server_default=text("'{}'::jsonb")),  # counted under, after value caps
    Column("counted_on", Date, nullable=False),
    Column("answered_at", instant, nullable=False),
    Column("excluded_at", instant),
    Column("excluded_reason", Text),
    created_at(),
    updated_at(),
    revision(),
    changed_in(),
    belongs_to(
        "survey_versions", "campaign_id", "survey_version", refers_to=("workspace_id", "campaign_id", "version")
    ),
    # No foreign key to recipients: its check locks, and so writes, each recipient's row, a quarter of all that
    # recording costs. The statement that inserts has looked them up, and recipients are never deleted, only emptied.
    CheckConstraint("score BETWEEN 0 AND 10", name="score"),
    CheckConstraint("certainty IN ('confirmed', 'probable')", name="certainty"),
    # recipient before campaign, so that the same index also finds all answers of a person
    Index(
        "uq_responses_slot",
        "workspace_id",
        "recipient_id",
        "campaign_id",
        "slot",
        unique=True,
        postgresql_where=text("recipient_id IS NOT NULL"),
    ),
    Index(
        "uq_responses_client_ref",
        "workspace_id",
        "campaign_id",
        "client_ref",
        unique=True,
        postgresql_where=text("client_ref IS NOT NULL"),
    ),
    Index(
        "uq_responses_import_id",
        "workspace_id",
        "campaign_id",
        "import_id",
        unique=True,
        postgresql_where=text("import_id IS NOT NULL"),
    ),
    Index(
        "uq_responses_idempotency_key",
        "workspace_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    Index(None, "workspace_id", "campaign_id", "id"),
    Index(None, "workspace_id", "campaign_id", "counted_on"),
    Index(None, "workspace_id", "changed_in"),
)

response_revisions = Table(
    "response_revisions",
    metadata,
    workspace_column(),
    Column("response_id", Uuid, primary_key=True),
    Column("revision", Integer, primary_key=True),  # the revision that was replaced
    Column("score", SmallInteger, nullable=False),
    Column("comment", Text),
    Column("answers", JSONB),
    Column("excluded_reason", Text),
    Column("change", Text, nullable=False),  # amended, excluded, restored
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    Column("changed_at", instant, nullable=False),
    ForeignKeyConstraint(
        ["workspace_id", "response_id"], ["responses.workspace_id", "responses.id"], ondelete="CASCADE"
    ),
)
