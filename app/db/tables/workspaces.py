"""Tenants, who may act for them, and what the installation knows of itself."""

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

from app.db.tables.base import belongs_to, created_at, instant, metadata, properties, revision, texts, workspace_column

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("sibling_id", Uuid),  # the test workspace of a live one, and the other way round
    Column("time_zone", Text, nullable=False, server_default=text("'UTC'")),
    Column("quarantine_days", Integer, nullable=False, server_default=text("90")),  # nobody is asked twice within
    properties("brand"),  # what pages and mails look like
    properties("sender"),  # whom mails come from
    created_at(),
    revision(),
    CheckConstraint("mode IN ('live', 'test')", name="mode"),
    CheckConstraint("quarantine_days BETWEEN 0 AND 3650", name="quarantine_days"),
)

# What a brand shows at the head of pages and mails. Replaced ones stay a while: mails that are out show them.
logos = Table(
    "logos",
    metadata,
    workspace_column(),
    Column("digest", Text, primary_key=True),  # of its bytes
    Column("kind", Text, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    created_at(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("kind IN ('png', 'jpeg', 'gif', 'webp')", name="kind"),
    CheckConstraint("octet_length(bytes) <= 100000", name="bytes"),
)

api_keys = Table(
    "api_keys",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    # A key is looked up before its workspace is known, and so is a session: unique without workspace_id.
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),  # its last four characters, to tell keys apart
    texts("scopes"),
    texts("allowed_origins"),
    created_at(),
    Column("expires_at", instant),
    Column("last_used_at", instant),
    Column("revoked_at", instant),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("kind IN ('secret', 'publishable')", name="kind"),
)

# Somebody who logged in at the dashboard with a key. It ends with the key, with time, or when they log out.
dashboard_sessions = Table(
    "dashboard_sessions",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("api_key_id", Uuid, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    created_at(),
    Column("seen_at", instant, nullable=False),
    belongs_to("api_keys", "api_key_id"),
    Index("ix_dashboard_sessions_created", "created_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    workspace_column(),
    Column("key_digest", Uuid, primary_key=True),  # of API key, route and Idempotency-Key
    Column("request_digest", Uuid, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("ids", ARRAY(Uuid), nullable=False),  # what the first call made; never a secret
    created_at(),
    Index("ix_idempotency_keys_created", "created_at"),
)

# Knows which installation this database belongs to, so that a copy restored elsewhere sends nothing.
instance = Table(
    "instance",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Uuid, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("adopted_at", instant, nullable=False, server_default=text("now()")),
    Column("generation", Integer, nullable=False, server_default=text("1")),
    CheckConstraint("only_row", name="only_row"),
)

# Drawn once, sealed, and kept whatever happens to ZEROTEN_SECRET_KEYS.
instance_keys = Table(
    "instance_keys",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("id", Uuid, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    created_at(),
)
