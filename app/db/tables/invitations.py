"""Asking as rows: rounds, moments, one invitation an ask, its mails, and what sending counts and locks."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from app.db.tables.base import (
    belongs_to,
    changed_in,
    created_at,
    instant,
    metadata,
    properties,
    revision,
    workspace_column,
)

# One round of asking of one campaign. What is asked outside any round belongs to wave 0, which has no row.
waves = Table(
    "waves",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", Text, nullable=False, server_default=text("'selecting'")),
    Column("starts_at", instant, nullable=False),
    Column("ends_at", instant, nullable=False),  # whoever is not free by then is skipped
    Column("audience_count", Integer),  # who fitted when the wave was planned
    Column("selected_count", Integer),  # whom the sample left in
    created_at(),
    Column("paused_at", instant),  # since when its clock stands still; the planner sets it anew
    Column("closed_at", instant),
    belongs_to("campaigns", "campaign_id"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    CheckConstraint("state IN ('selecting', 'open', 'closed')", name="state"),
    Index("ix_waves_open", "ends_at", postgresql_where=text("state <> 'closed'")),
)

# Something that happened to somebody and after which they may be asked: an order, a ticket, a course.
touchpoints = Table(
    "touchpoints",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("external_id", Text),  # the caller's name for it; the same again is the same touchpoint
    Column("recipient_id", Uuid, nullable=False),
    Column("occurred_at", instant, nullable=False),
    properties(),
    created_at(),
    changed_in(),
    belongs_to("recipients", "recipient_id"),
    Index(
        "uq_touchpoints_external_id",
        "workspace_id",
        "name",
        "external_id",
        unique=True,
        postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("ix_touchpoints_recipient", "workspace_id", "recipient_id", "occurred_at"),
    Index(None, "workspace_id", "changed_in"),
)

# One ask of one person, with its reminders. The slot says what makes it the same ask (a wave, a touchpoint, a date),
# so that planning may be repeated.
invitations = Table(
    "invitations",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, nullable=False),
    Column("wave", Integer, nullable=False, server_default=text("0")),
    Column("recipient_id", Uuid, nullable=False),
    Column("slot", Text, nullable=False),
    Column("touchpoint_id", Uuid),
    Column("channel", Text, nullable=False, server_default=text("'email'")),
    Column("survey_version", Integer, nullable=False),
    Column("variant", Text),
    Column("state", Text, nullable=False, server_default=text("'planned'")),
    Column("skip_reason", Text),
    Column("due_at", instant),  # of the next message; none while a wave is still being planned, and after the last
    Column("latest_at", instant),  # not sent by then, it is skipped
    Column("expires_at", instant),
    Column("is_clock_stale", Boolean, nullable=False, server_default=text("false")),  # of reminders and expiry
    Column("is_cancelled", Boolean, nullable=False, server_default=text("false")),  # no further mail, once this ended
    Column("token_hash", LargeBinary, unique=True),  # looked up before its workspace is known
    Column("unsubscribe_hash", LargeBinary, unique=True),  # of an anonymous campaign, where reminders change the other
    Column("claim_id", Uuid),
    Column("claimed_until", instant),
    Column("asked_at", instant),  # its first message
    Column("asked_before_at", instant),  # the recipient's asked_at before that, should nothing have been sent
    Column("reminder_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("delivered_at", instant),
    Column("page_opened_at", instant),
    Column("gestured_at", instant),  # somebody moved there: what they say, no program changes
    Column("answered_at", instant),
    Column("commented_at", instant),
    Column("bounced_at", instant),
    Column("complained_at", instant),
    Column("unsubscribed_at", instant),
    Column("response_id", Uuid),
    Column("scanner_hits", Integer, nullable=False, server_default=text("0")),
    Column("flagged_at", instant),
    Column("flag_reason", Text),
    created_at(),
    revision(),
    changed_in(),
    belongs_to("campaigns", "campaign_id"),
    belongs_to("recipients", "recipient_id"),
    CheckConstraint(
        "state IN ('planned', 'sending', 'sent', 'answered', 'expired', 'skipped', 'released', 'unknown', 'failed')",
        name="state",
    ),
    CheckConstraint("(state = 'skipped') = (skip_reason IS NOT NULL)", name="skip_reason"),
    CheckConstraint("channel IN ('email', 'link')", name="channel"),
    Index("uq_invitations_slot", "workspace_id", "recipient_id", "campaign_id", "slot", unique=True),
    Index(None, "workspace_id", "campaign_id", "wave", "state"),
    # What is due of a campaign; which campaigns have anything due, `sending_work` says.
    Index(
        "ix_invitations_due",
        "workspace_id",
        "campaign_id",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL AND claim_id IS NULL"),
    ),
    Index("ix_invitations_unscheduled", "id", postgresql_where=text("state = 'planned' AND due_at IS NULL")),
    Index("ix_invitations_claimed", "claimed_until", postgresql_where=text("claim_id IS NOT NULL")),
    Index("ix_invitations_clock_stale", "id", postgresql_where=text("is_clock_stale")),
    Index("ix_invitations_expiring", "expires_at", postgresql_where=text("state = 'sent'")),
    Index(
        "ix_invitations_touchpoint", "workspace_id", "touchpoint_id", postgresql_where=text("touchpoint_id IS NOT NULL")
    ),
    Index(None, "workspace_id", "changed_in"),
    postgresql_with={"fillfactor": 80},
)

# Each mail of an invitation; a bounce names the message it is about.
messages = Table(
    "messages",
    metadata,
    workspace_column(),
    Column("id", Uuid, primary_key=True),
    Column("invitation_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),  # for caps per hour
    Column("kind", Text, nullable=False),
    Column("domain", Text, nullable=False),  # of the address, for caps per domain
    Column("state", Text, nullable=False, server_default=text("'sending'")),
    Column("failure", Text),
    Column("reply_code", Integer),  # SMTP's
    created_at(),
    Column("settled_at", instant),
    Column("bounced_at", instant),
    Column("bounce_kind", Text),
    Column("complained_at", instant),
    belongs_to("invitations", "invitation_id"),
    CheckConstraint("kind IN ('first', 'reminder')", name="kind"),
    CheckConstraint("state IN ('sending', 'sent', 'failed', 'unknown')", name="state"),
    CheckConstraint("bounce_kind IN ('hard', 'soft')", name="bounce_kind"),
    Index("ix_messages_invitation", "workspace_id", "invitation_id"),
    Index("ix_messages_campaign", "workspace_id", "campaign_id", "created_at"),
    Index("ix_messages_created", "workspace_id", "created_at"),
)

# How many mails of a campaign went out on a day: what a warm-up and the automatic stop look at.
sending_days = Table(
    "sending_days",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("sent_on", Date, primary_key=True),
    Column("sent_count", Integer, nullable=False, server_default=text("0")),
    Column("bounced_count", Integer, nullable=False, server_default=text("0")),
    Column("complained_count", Integer, nullable=False, server_default=text("0")),
    belongs_to("campaigns", "campaign_id"),
)

# When looking for due invitations of a campaign is worth while. Its row is locked while some are claimed, so that caps
# hold exactly, however many workers there are.
sending_work = Table(
    "sending_work",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("due_at", instant, nullable=False),
    belongs_to("campaigns", "campaign_id"),
    Index("ix_sending_work_due", "due_at"),
    postgresql_with={"fillfactor": 50},
)
