"""Asking: waves, touchpoints, invitations and their mails, and what campaigns, workspaces and answers know of them.

The statements stand in the SQL file beside this one, a blank line between two of them. New columns have constant
defaults, which rewrites no table.
"""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "sender_domains", "logos", "reward_codes", "outgoing_mails", "sns_posts", "mail_tokens", "mail_sources",
    "captured_mails", "sending_work", "sending_days", "messages", "invitations", "touchpoints", "waves",
)  # fmt: skip
COLUMNS = {
    "workspaces": ("quarantine_days", "brand", "sender"),
    "campaigns": (
        "is_anonymous",
        "asking",
        "plan_due_at",
        "replan_in",
        "has_list",
        "second_look_behind",
        "scheduling_failed_at",
        "paused_reason",
    ),
    "recipients": ("bounced_at", "complained_at"),
    "responses": ("invitation_id", "wave", "certainty", "answers"),
    "response_revisions": ("answers",),
}


def upgrade() -> None:
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column)
