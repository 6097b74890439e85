"""Campaigns, version by version what they ask, who was added to them by name, and what they give away."""

from sqlalchemy import Boolean, CheckConstraint, Column, Double, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.base import (
    TransactionId,
    belongs_to,
    changed_in,
    created_at,
    instant,
    metadata,
    revision,
    texts,
    updated_at,
    workspace_column,
)

campaigns = Table(
    "campaigns",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("goal", Text),
    Column("metric", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'draft'")),
    Column("one_answer_per_recipient", Boolean, nullable=False, server_default=text("false")),
    Column("is_anonymous", Boolean, nullable=False, server_default=text("false")),
    Column("survey_version", Integer, nullable=False, server_default=text("1")),
    Column("has_list", Boolean, nullable=False, server_default=text("false")),  # of those it asks, though all have left
    Column("asking", JSONB(none_as_null=True)),  # whom it asks, when and how; none: it asks nobody by itself
    Column("plan_due_at", instant),  # when the planner is to look at it next
    Column("scheduling_failed_at", instant),  # through a fault of ours; others' invitations are not held up by it
    # What was planned before is given another moment: 0 since an edit, then the transaction of who first saw to it.
    Column("replan_in", TransactionId),
    # Whom its rules had skipped is looked at again, in the order of their ids; none: nobody is.
    Column("second_look_behind", Uuid),
    Column("paused_reason", Text),  # where it was not a person who paused it
    Column("starts_at", instant),
    Column("ends_at", instant),
    Column("launched_at", instant),
    Column("completed_at", instant),
    Column("archived_at", instant),
    created_at(),
    updated_at(),
    revision(),
    changed_in(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("kind IN ('relationship', 'transactional')", name="kind"),
    CheckConstraint("metric IN ('nps', 'csat', 'ces', 'stars', 'thumbs')", name="metric"),
    CheckConstraint("state IN ('draft', 'scheduled', 'running', 'paused', 'completed', 'archived')", name="state"),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    # what time alone brings about, looked for in all workspaces at once
    Index("ix_campaigns_due_start", "starts_at", postgresql_where=text("state = 'scheduled'")),
    Index("ix_campaigns_plan_due", "plan_due_at", postgresql_where=text("plan_due_at IS NOT NULL")),
    Index("ix_campaigns_due_end", "ends_at", postgresql_where=text("state IN ('scheduled', 'running')")),
)

survey_versions = Table(
    "survey_versions",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("change", Text, nullable=False),  # what its author says it is
    Column("default_language", Text, nullable=False),
    texts("languages"),
    Column("content", JSONB, nullable=False),
    created_at(),
    belongs_to("campaigns", "campaign_id"),
    CheckConstraint("change IN ('first', 'typo', 'wording')", name="change"),
)

campaign_recipients = Table(
    "campaign_recipients",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("recipient_id", Uuid, primary_key=True),
    Column("added_at", instant, nullable=False, server_default=text("now()")),
    belongs_to("campaigns", "campaign_id"),
    belongs_to("recipients", "recipient_id"),
)

# One for each person who answers, given to nobody twice. Without a holder it is free.
reward_codes = Table(
    "reward_codes",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("code", Text, primary_key=True),
    # The recipient, the response of somebody unknown, or the reward_holder of an anonymous link.
    Column("holder_id", Uuid),
    Column("given_at", instant),
    Column("place", Double, nullable=False, server_default=text("random()")),  # the order in which they are given
    belongs_to("campaigns", "campaign_id"),
    CheckConstraint("(holder_id IS NULL) = (given_at IS NULL)", name="given"),
    Index(
        "uq_reward_codes_holder",
        "workspace_id",
        "campaign_id",
        "holder_id",
        unique=True,
        postgresql_where=text("holder_id IS NOT NULL"),
    ),
    Index("ix_reward_codes_free", "workspace_id", "campaign_id", "place", postgresql_where=text("holder_id IS NULL")),
)
