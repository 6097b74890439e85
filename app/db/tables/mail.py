"""Mails that belong to no invitation, and what mail services and the DNS tell of the others."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.base import belongs_to, created_at, instant, metadata, properties, workspace_column

# Mails that went nowhere: of test workspaces, and wherever no SMTP server is set. Forgotten after a while.
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

# Who tells us of bounces and complaints: a mail service, or whoever passes bounced mails on. Each has an address of
# its own to post to, which ends in a key.
mail_sources = Table(
    "mail_sources",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),  # looked up before its workspace is known
    Column("secret", LargeBinary),  # sealed: what the service signs with
    Column("topic_arn", Text),  # of SNS; none: the first that confirms itself
    created_at(),
    Column("heard_at", instant),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("kind IN ('ses', 'sendgrid', 'postmark', 'mailgun', 'dsn')", name="kind"),
)

# What Amazon posted and a worker has to look into: its certificate is on Amazon's servers.
sns_posts = Table(
    "sns_posts",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("source_id", Uuid, nullable=False),
    Column("body", Text, nullable=False),
    created_at(),
    Column("due_at", instant, nullable=False, server_default=text("now()")),
    belongs_to("mail_sources", "source_id"),
    Index("ix_sns_posts_due", "due_at"),
)

# What a service has signed without signing what it tells: heard once, and known until it is too old to be heard again.
mail_tokens = Table(
    "mail_tokens",
    metadata,
    workspace_column(),
    Column("digest", LargeBinary, primary_key=True),
    created_at(),
    belongs_to("workspaces", refers_to=("id",)),
    Index("ix_mail_tokens_created", "created_at"),
)

# Mails that belong to no invitation: tests, and notices to whoever looks after the workspace. Kept for a while after
# they ended, so that somebody can read how.
outgoing_mails = Table(
    "outgoing_mails",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid),  # of a test
    Column("purpose", Text, nullable=False),
    Column("to_address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("envelope_sender", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("failure", Text),
    Column("reply_code", Integer),  # SMTP's
    created_at(),
    Column("due_at", instant),
    Column("settled_at", instant),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("purpose IN ('test', 'notice')", name="purpose"),
    CheckConstraint("state IN ('waiting', 'sent', 'captured', 'failed', 'unknown')", name="state"),
    CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="due_at"),
    Index("ix_outgoing_mails_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_outgoing_mails_created", "created_at"),
)

# What the DNS says about each domain that mails come from, looked at when somebody asks and once a day.
sender_domains = Table(
    "sender_domains",
    metadata,
    workspace_column(),
    Column("domain", Text, primary_key=True),
    Column("state", Text, nullable=False, server_default=text("'unchecked'")),
    Column("findings", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    properties("found"),  # the records themselves
    created_at(),
    Column("checked_at", instant),
    Column("asked_at", instant),  # for a check that has not come yet
    Column("due_at", instant, nullable=False),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("state IN ('unchecked', 'passed', 'failed', 'unknown')", name="state"),
    CheckConstraint("(state = 'unchecked') = (checked_at IS NULL)", name="checked_at"),
    Index("ix_sender_domains_due", "due_at"),
)
