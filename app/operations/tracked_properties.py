"""Declaring and removing tracked properties, and bringing older responses into line.

Who records an answer reads `tracked_properties` in the statement that stores it. Declaring commits first, and the scan
of older responses begins when nobody is left who records without having seen that (`begin_scan`). From then on every
response either carries the key, or is one that the scan will meet, or has no value to be counted under. Removing is the
same the other way round.

In each batch a response's key and its counts change together, so rollups equal the rows at every moment in between.
`changed_in` and `revision` stay: nobody wants ten million responses to look changed because they were counted anew.
"""

from uuid import UUID

from sqlalchemy import delete, insert, select, text, update

from app.db.engine import Tx
from app.db.tables import tracked_properties, tracked_values, workspaces
from app.domain.scores.segment import TrackedProperty
from app.domain.scores.tracking import TrackingState, is_repeated
from app.operations.rollups import rollup_ctes
from app.operations.segments import segment_ctes
from app.queries.tracked_properties import as_declared, get_tracked_property, list_tracked_properties

BEFORE_ALL, AFTER_ALL = UUID(int=0), UUID(int=2**128 - 1)
BATCH = 1_000  # responses locked at a time: their amendments wait some hundredths of a second
ROLLUPS_BATCH = 5_000
ROW = tracked_properties.c


async def declare_property(tx: Tx, workspace_id: UUID, declared: TrackedProperty) -> None:
    """Repeating it changes nothing. Raises AlreadyTracked, StillBeingRemoved, TooManyTracked."""
    await _take_turns(tx, workspace_id)
    rows = {row["key"]: row for row in await list_tracked_properties(tx, workspace_id)}
    row = rows.get(declared.key)
    standing, state = (None, None) if row is None else (as_declared(row), row["state"])
    if is_repeated(declared, standing=standing, state=state, others=len(rows)):
        return
    await tx.execute(
        insert(tracked_properties).values(
            workspace_id=workspace_id,
            key=declared.key,
            source=declared.source.value,
            kind=declared.kind.value,
            buckets=declared.buckets,
            value_limit=declared.value_limit,
            state=TrackingState.DECLARING.value,
        )
    )


async def remove_property(tx: Tx, workspace_id: UUID, key: str) -> None:
    """Repeating it changes nothing. Raises TrackedPropertyNotFound."""
    await _take_turns(tx, workspace_id)
    await get_tracked_property(tx, workspace_id, key)
    await tx.execute(
        update(tracked_properties)
        .where(ROW.workspace_id == workspace_id, ROW.key == key, ROW.state != TrackingState.REMOVING.value)
        .values(state=TrackingState.REMOVING.value, scanned_to=None)
    )


async def _take_turns(tx: Tx, workspace_id: UUID) -> None:
    """Two declarations at once must see each other; recording answers does not wait for this lock."""
    await tx.execute(select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update(key_share=True))


async def begin_scan(tx: Tx, workspace_id: UUID, key: str) -> None:
    """Only once nobody records from a view older than the declaration (or removal)."""
    await tx.execute(
        update(tracked_properties)
        .where(ROW.workspace_id == workspace_id, ROW.key == key, ROW.scanned_to.is_(None))
        .values(scanned_to=BEFORE_ALL)
    )


async def scan_some(tx: Tx, workspace_id: UUID, key: str) -> bool:
    """One batch of older responses; whether there may be more to do. Another worker's property is left to it."""
    query = select(ROW.state, ROW.scanned_to).where(
        ROW.workspace_id == workspace_id, ROW.key == key, ROW.state != TrackingState.TRACKED.value,
        ROW.scanned_to.is_not(None),
    )  # fmt: skip
    standing = (await tx.execute(query.with_for_update(skip_locked=True))).one_or_none()
    if standing is None:
        return False
    is_removal = standing.state == TrackingState.REMOVING
    if standing.scanned_to == AFTER_ALL:
        return await _forget_some(tx, workspace_id, key)
    statement = _TAKE_OUT if is_removal else _COUNT_IN
    batch = {"workspace_id": workspace_id, "key": key, "after": standing.scanned_to, "limit": BATCH}
    scanned, last = (await tx.execute(statement, batch)).one()
    is_last = scanned < BATCH
    state = TrackingState.TRACKED if is_last and not is_removal else standing.state
    await tx.execute(
        update(tracked_properties)
        .where(ROW.workspace_id == workspace_id, ROW.key == key)
        .values(state=str(state), scanned_to=AFTER_ALL if is_last else last)
    )
    return not is_last or is_removal


_BATCH = """
    WITH batch AS MATERIALIZED (
        SELECT id FROM responses WHERE workspace_id = :workspace_id AND id > :after ORDER BY id LIMIT :limit
    )"""
_RESULT = "SELECT count(*), (SELECT id FROM batch ORDER BY id DESC LIMIT 1) FROM batch"

# Rows are locked in the order of their ids, as everybody does who changes several.
_COUNT_IN = text(f"""{_BATCH},
    answers AS MATERIALIZED (
        SELECT r.* FROM responses r JOIN batch USING (id)
        WHERE r.workspace_id = :workspace_id AND NOT jsonb_exists(r.segments, :key) ORDER BY r.id FOR UPDATE OF r
    ),
    {segment_ctes("answers", tracked="t.key = :key")},
    updated AS (
        UPDATE responses r SET segments = r.segments || s.segments FROM segmented s
        WHERE r.workspace_id = s.workspace_id AND r.id = s.id
        RETURNING r.*
    ),
    changes AS (SELECT *, 1 AS delta FROM updated WHERE excluded_at IS NULL),
    {rollup_ctes("changes", only_key="CAST(:key AS text)")}
    {_RESULT}
""")

_TAKE_OUT = text(f"""{_BATCH},
    answers AS MATERIALIZED (
        SELECT r.* FROM responses r JOIN batch USING (id)
        WHERE r.workspace_id = :workspace_id AND jsonb_exists(r.segments, :key) ORDER BY r.id FOR UPDATE OF r
    ),
    updated AS (
        UPDATE responses r SET segments = r.segments - CAST(:key AS text) FROM answers a
        WHERE r.workspace_id = a.workspace_id AND r.id = a.id
    ),
    changes AS (SELECT *, -1 AS delta FROM answers WHERE excluded_at IS NULL),
    {rollup_ctes("changes", only_key="CAST(:key AS text)")}
    {_RESULT}
""")


async def _forget_some(tx: Tx, workspace_id: UUID, key: str) -> bool:
    """What is left when no response is counted under the property any more: rows of zeros, its values, itself."""
    forgotten = await tx.execute(_FORGET_ROLLUPS, {"workspace_id": workspace_id, "key": key, "limit": ROLLUPS_BATCH})
    if forgotten.rowcount:
        return True
    met = tracked_values.c
    await tx.execute(delete(tracked_values).where(met.workspace_id == workspace_id, met.key == key))
    await tx.execute(delete(tracked_properties).where(ROW.workspace_id == workspace_id, ROW.key == key))
    return False


_FORGET_ROLLUPS = text("""
    DELETE FROM score_rollups WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM score_rollups WHERE workspace_id = :workspace_id AND property_key = :key LIMIT :limit
    )) AND workspace_id = :workspace_id AND property_key = :key
""")
