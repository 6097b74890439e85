"""By which properties scores can be split, and how far the older responses have been counted under them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, Select, func, select

from app.db.engine import ReadTx, Tx
from app.db.tables import tracked_properties, tracked_values
from app.domain.scores.segment import PropertyKind, PropertySource, TrackedProperty, buckets_from_json
from app.domain.scores.tracking import TrackedPropertyNotFound, TrackingState

ROW = tracked_properties.c


async def list_tracked_properties(tx: ReadTx | Tx, workspace_id: UUID) -> Sequence[RowMapping]:
    """Few, so they come all at once; with `values`, how many have been met."""
    return (await tx.execute(_of(workspace_id).order_by(ROW.key))).mappings().all()


async def get_tracked_property(tx: ReadTx | Tx, workspace_id: UUID, key: str) -> RowMapping:
    """Raises TrackedPropertyNotFound."""
    row = (await tx.execute(_of(workspace_id).where(ROW.key == key))).mappings().one_or_none()
    if row is None:
        raise TrackedPropertyNotFound("There is no tracked property with this key.")
    return row


def as_declared(row: RowMapping) -> TrackedProperty:
    return TrackedProperty(
        key=row["key"],
        source=PropertySource(row["source"]),
        kind=PropertyKind(row["kind"]),
        buckets=buckets_from_json(row["buckets"]),
        value_limit=row["value_limit"],
    )


async def unfinished_tracking(tx: ReadTx) -> Sequence[RowMapping]:
    """Of all workspaces: properties with older responses still to be counted under them, or taken out."""
    query = select(ROW.workspace_id, ROW.key, ROW.scanned_to).where(ROW.state != TrackingState.TRACKED.value)
    return (await tx.execute(query.order_by(ROW.created_at))).mappings().all()


def _of(workspace_id: UUID) -> Select[tuple[object, ...]]:
    met = tracked_values.c
    values = select(func.count()).where(met.workspace_id == ROW.workspace_id, met.key == ROW.key).scalar_subquery()
    return select(tracked_properties, values.label("values")).where(ROW.workspace_id == workspace_id)
