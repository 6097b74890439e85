"""The first schema.

The statements stand in the SQL file beside this one, a blank line between two of them.
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = ("uuid_v7(timestamptz)", "segment_label(jsonb, text, jsonb)")


def upgrade() -> None:
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    tables = op.get_bind().exec_driver_sql(
        "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'alembic_version'"
    )
    op.execute(f"DROP TABLE IF EXISTS {', '.join(tables.scalars())} CASCADE")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
