"""Somebody is asked, at a service, to let a connector in.

A row with a due_at waits for a worker; claimed, that is the end of its lease.
"""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.base import belongs_to, created_at, instant, metadata, updated_at, workspace_column

authorizations = Table(
    "authorizations",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("settings", JSONB, nullable=False),  # of the connector: what is no secret
    Column("sealed", LargeBinary),  # the rest, and what belongs to the consent; none: used, or of no more use
    Column("state_digest", LargeBinary, nullable=False),  # of what the service hands back with the code
    Column("redirect_url", Text, nullable=False),
    Column("expires_at", instant, nullable=False),
    Column("due_at", instant),
    Column("claim_id", Uuid),
    Column("failure", Text),
    Column("last_reply", Text),  # what the service said about it
    created_at(),
    updated_at(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("state IN ('waiting', 'exchanging', 'granted', 'used', 'failed')", name="state"),
    Index("ix_authorizations_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
