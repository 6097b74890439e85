"""What the outcomes of deliveries say about endpoints."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx, Tx
from app.db.tables import endpoint_health
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.breaker import EndpointHealth

HEALTHY = EndpointHealth()


async def health_of(tx: ReadTx | Tx, workspace_id: UUID, endpoint_ids: Collection[UUID]) -> dict[UUID, EndpointHealth]:
    """Of each that is asked for."""
    kept = endpoint_health.c
    query = select(endpoint_health).where(kept.workspace_id == workspace_id, kept.endpoint_id.in_(endpoint_ids))
    known = {row["endpoint_id"]: _health(row) for row in (await tx.execute(query)).mappings()}
    return {endpoint_id: known.get(endpoint_id, HEALTHY) for endpoint_id in endpoint_ids}


def _health(row: RowMapping) -> EndpointHealth:
    return EndpointHealth(
        failures=row["failures"],
        failing_since=row["failing_since"],
        last_failed_at=row["last_failed_at"],
        last_failure=Failure(row["last_failure"]),
        paused_until=row["paused_until"],
    )
