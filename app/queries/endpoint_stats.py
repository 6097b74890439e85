"""How an endpoint did in the last day, from the log of attempts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Float, cast, func, select

from app.db.engine import ReadTx
from app.db.tables import deliveries, delivery_attempts

LOOKED_BACK = timedelta(hours=24)
MOST_ATTEMPTS = 10_000  # the latest of them; a busy endpoint makes millions a day


@dataclass(frozen=True, slots=True)
class EndpointStats:
    since: datetime  # what is older was not looked at
    attempt_count: int
    delivered_count: int  # of the attempts
    p50_ms: float | None  # of an attempt's duration; None without attempts
    p99_ms: float | None
    backlog: int  # pending deliveries, retries included
    oldest_pending_at: datetime | None

    @property
    def success_rate(self) -> float | None:
        return self.delivered_count / self.attempt_count if self.attempt_count else None


async def endpoint_stats(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, *, now: datetime) -> EndpointStats:
    attempts = await _attempts(tx, workspace_id, endpoint_id, since=now - LOOKED_BACK)
    pending = deliveries.c
    waiting = select(func.count(), func.min(pending.created_at)).where(
        pending.workspace_id == workspace_id, pending.endpoint_id == endpoint_id
    )
    backlog, oldest = (await tx.execute(waiting)).one()
    return EndpointStats(backlog=backlog, oldest_pending_at=oldest, **attempts)


async def _attempts(tx: ReadTx, workspace_id: UUID, endpoint_id: UUID, *, since: datetime) -> dict[str, Any]:
    made = delivery_attempts.c
    latest = (
        select(made.started_at, made.duration_ms, made.failure)
        .where(made.workspace_id == workspace_id, made.endpoint_id == endpoint_id, made.started_at >= since)
        .order_by(made.started_at.desc())
        .limit(MOST_ATTEMPTS)
        .subquery()
        .c
    )
    duration = cast(latest.duration_ms, Float)
    found = await tx.execute(
        select(
            func.count().label("attempt_count"),
            func.count().filter(latest.failure.is_(None)).label("delivered_count"),
            func.percentile_cont(0.5).within_group(duration).label("p50_ms"),
            func.percentile_cont(0.99).within_group(duration).label("p99_ms"),
            func.min(latest.started_at).label("first_at"),
        )
    )
    row = dict(found.mappings().one())
    first_at = row.pop("first_at")
    return {**row, "since": first_at if row["attempt_count"] == MOST_ATTEMPTS else since}
