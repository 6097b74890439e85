"""Who looks after an answer, once somebody has said so. It goes with the answer."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, Uuid, text

from app.db.tables.base import belongs_to, instant, metadata, revision, workspace_column

follow_ups = Table(
    "follow_ups",
    metadata,
    workspace_column(),
    Column("response_id", Uuid, primary_key=True),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", instant, nullable=False),
    Column("resolved_at", instant),
    revision(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("state IN ('assigned', 'resolved')", name="state"),  # open ones have no row
    Index("ix_follow_ups_unresolved", "workspace_id", postgresql_where=text("resolved_at IS NULL")),
)
