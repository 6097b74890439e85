"""The log of deliveries by month: a new partition in good time, an old one dropped in one go."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.db.engine import Tx

PARTITIONED = {"delivery_log": "finished_at", "delivery_attempts": "started_at"}
ADVISORY_LOCK = 7_281_005  # one worker at a time
LONGEST_WAIT = "1s"  # for a lock: deliveries queue up behind us, so rather try again at the next ring
AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Month:
    begins_at: datetime

    @classmethod
    def of(cls, at: datetime) -> "Month":
        return cls(at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0))

    @property
    def ends_at(self) -> datetime:
        return Month.of(self.begins_at + timedelta(days=31)).begins_at

    @property
    def suffix(self) -> str:
        return self.begins_at.strftime("_p%Y_%m")


async def ensure_partitions(tx: Tx, table: str, *, now: datetime) -> None:
    """Of this month and the next. Until then, and if we come too late, rows go to the default partition.

    One table a transaction: whoever writes down an outcome writes to both, so holding both could be a deadlock.
    """
    if not await _is_our_turn(tx):
        return
    this_month = Month.of(now)
    for month in (this_month, Month(this_month.ends_at)):
        await _ensure(tx, table, month)


async def _is_our_turn(tx: Tx) -> bool:
    await tx.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'"))
    return bool((await tx.execute(text(f"SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK})"))).scalar_one())


async def _ensure(tx: Tx, table: str, month: Month) -> None:
    name = f"{table}{month.suffix}"
    if (await tx.execute(text(f"SELECT to_regclass('{name}') IS NOT NULL"))).scalar_one():
        return
    # Waits for rows under way, and keeps others waiting; attached without that, a partition would have them refused.
    await tx.execute(text(f"LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE"))
    if await _has_begun_elsewhere(tx, table, month):
        return
    bounds = f"FROM ('{month.begins_at.isoformat()}') TO ('{month.ends_at.isoformat()}')"
    await tx.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds}"))


async def _has_begun_elsewhere(tx: Tx, table: str, month: Month) -> bool:
    column = PARTITIONED[table]
    strays = text(f"SELECT EXISTS (SELECT FROM {table}_default WHERE {column} >= :begins_at AND {column} < :ends_at)")
    within = {"begins_at": month.begins_at, "ends_at": month.ends_at}
    return bool((await tx.execute(strays, within)).scalar_one())


async def drop_old_partitions(tx: Tx, table: str, *, before: datetime) -> list[str]:
    """The names of those dropped: months that had ended by then."""
    if not await _is_our_turn(tx):
        return []
    names = (await tx.execute(_PARTITIONS, {"parent": table})).scalars()
    old = [name for name in names if _month_of(name).ends_at <= before]
    for name in old:
        await tx.execute(text(f"DROP TABLE {name}"))
    return old


async def empty_default_partition(tx: Tx, table: str, *, before: datetime) -> int:
    """One batch of old rows; says how many."""
    delete = text(f"""
        DELETE FROM {table}_default WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table}_default WHERE {PARTITIONED[table]} < :before LIMIT {AT_ONCE}
        ))
    """)
    return (await tx.execute(delete, {"before": before})).rowcount


def _month_of(partition: str) -> Month:
    year, month = partition.rpartition("_p")[2].split("_")
    return Month(datetime(int(year), int(month), 1, tzinfo=UTC))


_PARTITIONS = text(r"""
    SELECT c.relname FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.relname = :parent AND c.relname ~ '_p\d{4}_\d\d$' AND pg_table_is_visible(c.oid)
""")
