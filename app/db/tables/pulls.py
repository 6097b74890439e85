"""Connectors that people are brought in from, and how far each has got.

A claimed row's due_at is the end of its lease.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSON, JSONB

from app.db.tables.base import belongs_to, created_at, instant, metadata, texts, updated_at, workspace_column

pulls = Table(
    "pulls",
    metadata,
    workspace_column(),
    Column("endpoint_id", Uuid, primary_key=True),
    Column("every_hours", Integer, nullable=False),
    Column("fields", JSON, nullable=False),  # there → here; JSON keeps the order given
    Column("cursor", JSONB),  # where the next run begins; none: everybody
    Column("companies_cursor", JSONB),  # the same for companies that changed by themselves; none: they are not read
    Column("position", JSONB),  # where the run under way is; none: there is none
    Column("due_at", instant, nullable=False),
    Column("claim_id", Uuid),
    Column("started_at", instant),  # the last run
    Column("finished_at", instant),
    Column("import_id", Uuid),  # that takes in what the run under way has read
    Column("chunk_count", Integer, nullable=False, server_default=text("0")),  # of it
    Column("last_import_id", Uuid),
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("last_failure", Text),
    Column("last_reply", Text),  # what the service said about it
    created_at(),
    updated_at(),
    belongs_to("webhook_endpoints", "endpoint_id"),
    CheckConstraint("every_hours BETWEEN 1 AND 168", name="every_hours"),
    Index("ix_pulls_due", "due_at"),
)

# Which record each line of such an import was, so that a refused one can be found there.
pulled_pages = Table(
    "pulled_pages",
    metadata,
    workspace_column(),
    Column("import_id", Uuid, primary_key=True),
    Column("first_line", Integer, primary_key=True),
    texts("record_ids"),  # one for each line
    created_at(),
    belongs_to("workspaces", refers_to=("id",)),
    Index("ix_pulled_pages_created", "created_at", postgresql_using="brin"),
)
