"""Runs migrations one transaction each, one process at a time, giving up on a lock rather than queueing behind it."""

from alembic import context
from sqlalchemy import Connection, text

from app.db.tables import metadata

ADVISORY_LOCK = 7_281_004  # any number, as long as every version of Zeroten takes the same one


def run(connection: Connection) -> None:
    # A migration that waits for a lock makes everybody behind it wait too: better to fail and be run again.
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": ADVISORY_LOCK})
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=False,
        include_object=_is_ours,
    )
    context.run_migrations()
    connection.commit()
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": ADVISORY_LOCK})
    connection.commit()


def _is_ours(_object: object, name: str | None, kind: str, reflected: bool, _compared: object) -> bool:  # noqa: FBT001 - Alembic's signature
    """Partitions come and go by the month; they are not part of the schema that is compared."""
    return not (kind == "table" and reflected and name is not None and "_p20" in name) and "_default" not in str(name)


run(context.config.attributes["connection"])
