"""Files of recipients: the bytes, how far they are worked off, and the rows that were refused."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, Uuid, text

from app.db.tables.base import belongs_to, created_at, instant, metadata, revision, updated_at, workspace_column

imports = Table(
    "imports",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("format", Text, nullable=False),
    Column("campaign_id", Uuid),  # the recipients join this campaign as well
    Column("endpoint_id", Uuid),  # of what was pulled through a connector
    Column("state", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("bytes_read", BigInteger, nullable=False, server_default=text("0")),
    Column("rows_read", Integer, nullable=False, server_default=text("0")),
    Column("rows_created", Integer, nullable=False, server_default=text("0")),
    Column("rows_updated", Integer, nullable=False, server_default=text("0")),
    Column("rows_unchanged", Integer, nullable=False, server_default=text("0")),
    Column("rows_rejected", Integer, nullable=False, server_default=text("0")),
    Column("failure", Text),
    Column("claim_id", Uuid),
    Column("lease_until", instant),
    Column("attempts", Integer, nullable=False, server_default=text("0")),  # since the last progress
    created_at(),
    updated_at(),
    revision(),
    Column("started_at", instant),
    Column("finished_at", instant),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("format IN ('csv', 'ndjson')", name="format"),
    CheckConstraint("state IN ('receiving', 'queued', 'running', 'completed', 'failed')", name="state"),
    Index("ix_imports_waiting", "created_at", postgresql_where=text("state IN ('queued', 'running')")),
)

# The uploaded bytes, kept until the import has ended: an upload acknowledged is an upload that will be worked off.
import_chunks = Table(
    "import_chunks",
    metadata,
    workspace_column(),
    Column("import_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
    belongs_to("imports", "import_id"),
)

import_errors = Table(
    "import_errors",
    metadata,
    workspace_column(),
    Column("import_id", Uuid, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("code", Text, nullable=False),
    Column("field", Text),
    Column("detail", Text, nullable=False),
    belongs_to("imports", "import_id"),
)
