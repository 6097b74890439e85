"""People, their accounts, and what is remembered of somebody who was erased."""

from sqlalchemy import Column, Date, Index, LargeBinary, Numeric, Table, Text, Uuid, text

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


def _identifier(column: str) -> Index:
    where = text(f"{column} IS NOT NULL")
    return Index(f"uq_recipients_{column}", "workspace_id", column, unique=True, postgresql_where=where)


accounts = Table(
    "accounts",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("external_id", Text, nullable=False),
    Column("name", Text),
    Column("owner", Text),
    Column("revenue", Numeric(18, 2)),  # a year, in the workspace's own currency
    Column("tier", Text),
    Column("renews_on", Date),
    properties(),
    created_at(),
    updated_at(),
    revision(),
    changed_in(),
    belongs_to("workspaces", refers_to=("id",)),
    Index("uq_accounts_external_id", "workspace_id", "external_id", unique=True),
    Index(None, "workspace_id", "changed_in"),
)

# Tombstoned, not deleted: a DELETE in one tenant's open transaction would block everybody's recording.
# The identifiers' unique indexes are partial for the same reason.
recipients = Table(
    "recipients",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("external_id", Text),
    Column("email", Text),  # lower case
    Column("phone", Text),  # E.164
    Column("name", Text),
    Column("locale", Text),
    Column("time_zone", Text),
    Column("account_id", Uuid),
    properties(),
    Column("unsubscribed_at", instant),
    Column("bounced_at", instant),  # the address does not exist; cleared when it changes
    Column("complained_at", instant),
    Column("asked_at", instant),  # the last time anybody asked, over all campaigns and channels
    created_at(),
    updated_at(),
    Column("deleted_at", instant),
    Column("swept_at", instant),  # when what batches in flight wrote after that was erased as well
    revision(),
    changed_in(),
    belongs_to("workspaces", refers_to=("id",)),
    belongs_to("accounts", "account_id"),
    Index(
        "uq_recipients_external_id",
        "workspace_id",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    _identifier("email"),
    _identifier("phone"),
    Index("ix_recipients_account", "workspace_id", "account_id", postgresql_where=text("account_id IS NOT NULL")),
    Index(None, "workspace_id", "changed_in"),
    Index("ix_recipients_unswept", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL AND swept_at IS NULL")),
)

# What must outlive an erasure, and the taking off of an address: that somebody said no, and when they were last asked.
# Only HMACs of their identifiers.
suppressions = Table(
    "suppressions",
    metadata,
    workspace_column(),
    Column("address_hmac", LargeBinary, primary_key=True),
    Column("unsubscribed_at", instant),
    Column("asked_at", instant),
    Column("erased_at", instant),  # none: the address was taken off them
)
