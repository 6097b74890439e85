from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, Uuid

from app.db.tables.base import belongs_to, created_at, metadata, workspace_column

# Mails that went nowhere: where no SMTP server is set, in test workspaces, and test sends. Forgotten after a while.
captured_mails = Table(
    "captured_mails",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("recipient_id", Uuid),  # none for a test send
    Column("purpose", Text, nullable=False),
    Column("to_address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # as SMTP would have got it
    created_at(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("purpose IN ('first', 'reminder', 'test', 'notice')", name="purpose"),
    Index("ix_captured_mails_created", "workspace_id", "created_at"),
    Index("ix_captured_mails_recipient", "workspace_id", "recipient_id"),
)
