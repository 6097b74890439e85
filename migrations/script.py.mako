"""${message}

Expand, backfill in batches, contract: one step in each release, so that the code before and after can both run.
An index on a big table is created CONCURRENTLY in an autocommit block.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
