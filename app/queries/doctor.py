"""Is this installation well? Every check says one thing; the last one recounts every answer."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.engine import Engine, ReadTx
from app.db.migrations import pending_migrations
from app.db.pooling import is_transaction_pooled
from app.db.vault import CannotOpenSecret, Vault
from app.domain.diagnosis import Diagnosis, fine, problem, warning
from app.domain.scores.period import UnknownTimeZone, zone_named
from app.queries.check_rollups import check_rollups
from app.queries.check_secrets import check_secrets
from app.queries.instance import find_instance

OLDEST_VERSION = 15
LONGEST_WAIT = timedelta(minutes=2)  # a worker looks every second
CLOCKS_MAY_DIFFER = timedelta(seconds=2)

Check = Callable[[ReadTx, datetime], Awaitable[Diagnosis]]


async def examine(engine: Engine, vault: Vault, *, now: datetime) -> list[Diagnosis]:
    """Reads only. What comes later needs what comes earlier, so a database out of reach or out of date ends it."""
    try:
        async with engine.read() as tx:
            diagnoses = [await _check_version(tx), await _check_clock(tx, now)]
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        return [problem("database", f"does not answer ({type(error).__name__})")]
    diagnoses.append(await _check_pooling(engine))
    if await pending_migrations(engine):
        return [*diagnoses, problem("schema", "not this version's; run `zeroten migrate`")]
    diagnoses.append(fine("schema", "this version's"))
    async with engine.read() as tx:
        diagnoses.append(await _check_home(tx))
        diagnoses.append(await _check_secrets(tx, vault, now))
        diagnoses.append(await _check_time_zones(tx, now))
        diagnoses += await _check_queues(tx)
    return [*diagnoses, *await check_rollups(engine)]


async def _check_version(tx: ReadTx) -> Diagnosis:
    number = int((await tx.execute(text("SHOW server_version_num"))).scalar_one())
    version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < OLDEST_VERSION * 10_000:
        return problem("database", f"{version}, but {OLDEST_VERSION} or newer is needed")
    return fine("database", version)


async def _check_clock(tx: ReadTx, now: datetime) -> Diagnosis:
    """Leases end by PostgreSQL's clock, answers are dated by ours."""
    theirs: datetime = (await tx.execute(text("SELECT clock_timestamp()"))).scalar_one()
    difference = abs(theirs - now)
    if difference > CLOCKS_MAY_DIFFER:
        return warning("clocks", f"PostgreSQL's and this machine's differ by {difference.total_seconds():.0f} s")
    return fine("clocks", "agree")


async def _check_pooling(engine: Engine) -> Diagnosis:
    if await is_transaction_pooled(engine):
        return warning(
            "connection", "pooled by the transaction, so LISTEN hears nothing",
            "Every promise is kept by polling, only later. Connect directly, or let the pooler work by the session.",
        )  # fmt: skip
    return fine("connection", "direct")


async def _check_home(tx: ReadTx) -> Diagnosis:
    instance = await find_instance(tx)
    if instance is not None and not instance.is_at_home:
        return problem(
            "home", "this database was restored or copied here, so nothing is sent",
            "If it is to take over from the original, run `zeroten adopt`.",
        )  # fmt: skip
    return fine("home", "this database is where it belongs")


async def _check_secrets(tx: ReadTx, vault: Vault, now: datetime) -> Diagnosis:
    try:
        await check_secrets(tx, vault, now=now)
    except CannotOpenSecret as refused:
        return problem("secrets", "cannot all be opened", str(refused))
    return fine("secrets", "can be opened")


async def _check_time_zones(tx: ReadTx, now: datetime) -> Diagnosis:
    """PostgreSQL finds the day of an answer, Python where a day begins: both need the same zones."""
    moments = (now, now + timedelta(days=182))
    rows = (await tx.execute(_ZONES, {"one": moments[0], "other": moments[1]})).all()
    wrong = [name for name, *offsets in rows if _offsets(name, moments) != offsets]
    if wrong:
        return problem("time zones", f"PostgreSQL and this machine disagree on {', '.join(wrong)}; update their data")
    return fine("time zones", f"the same here and in PostgreSQL ({len(rows)} in use)")


def _offsets(name: str, moments: Sequence[datetime]) -> list[timedelta | None] | None:
    try:
        zone: ZoneInfo = zone_named(name)
    except UnknownTimeZone:
        return None
    return [moment.astimezone(zone).utcoffset() for moment in moments]


# A name that PostgreSQL does not know has no row in pg_timezone_names, and asking for its time would be an error.
_ZONES = text("""
    WITH used AS MATERIALIZED (
        SELECT w.time_zone, n.name FROM (SELECT DISTINCT time_zone FROM workspaces) w
        LEFT JOIN pg_timezone_names n ON n.name = w.time_zone
    )
    SELECT time_zone,
        CASE WHEN name IS NOT NULL THEN (:one AT TIME ZONE name) - (:one AT TIME ZONE 'UTC') END,
        CASE WHEN name IS NOT NULL THEN (:other AT TIME ZONE name) - (:other AT TIME ZONE 'UTC') END
    FROM used ORDER BY time_zone
""")


async def _check_queues(tx: ReadTx) -> list[Diagnosis]:
    rows = (await tx.execute(_WAITING)).all()
    return [_queue(row.queue, row.waited) for row in rows]


def _queue(name: str, waited: timedelta | None) -> Diagnosis:
    if waited is not None and waited > LONGEST_WAIT:
        return warning(name, f"the oldest has waited for {_in_words(waited)}; is a worker running?")
    return fine(name, "none waits for long")


def _in_words(waited: timedelta) -> str:
    minutes = int(waited.total_seconds()) // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


_WAITING = text("""
    SELECT 'events' AS queue, (
        SELECT now() - min(e.created_at) FROM event_queue q
        JOIN events e ON e.workspace_id = q.workspace_id AND e.id = q.event_id
    ) AS waited
    UNION ALL SELECT 'deliveries', (SELECT now() - min(due_at) FROM endpoint_work)
    UNION ALL SELECT 'imports', (
        SELECT now() - min(coalesce(lease_until, created_at)) FROM imports WHERE state IN ('queued', 'running')
    )
    UNION ALL SELECT 'tracked properties', (
        SELECT now() - min(created_at) FROM tracked_properties WHERE state = 'declaring'
    )
""")
