"""Do the scores say what the answers say? Recounted for every workspace, to the last answer."""

from uuid import UUID

from sqlalchemy import text

from app.db.engine import Engine
from app.domain import ids
from app.domain.diagnosis import Diagnosis, fine, problem
from app.queries.recount import Difference, miscounted_segments, rollup_differences
from app.queries.workspaces import list_workspaces


async def check_rollups(engine: Engine) -> list[Diagnosis]:
    """Ends with "rollups: exact", or with every difference."""
    async with engine.read() as tx:
        workspaces = [row["id"] for row in await list_workspaces(tx)]
    differences, miscounted = [], []
    for workspace_id in workspaces:
        found, wrong = await _recount(engine, workspace_id)
        differences += found
        miscounted += wrong
    segments = (
        problem("segments", "some answers are not counted under theirs", *miscounted)
        if miscounted
        else fine("segments", "every answer is counted under its own")
    )
    if differences:
        return [segments, problem("rollups", f"{len(differences)} differ", *differences)]
    return [segments, fine("rollups", "exact")]


async def _recount(engine: Engine, workspace_id: UUID) -> tuple[list[str], list[str]]:
    async with engine.read() as tx:
        await tx.execute(text("SET LOCAL statement_timeout = 0"))  # ten million answers take their time
        differences = await rollup_differences(tx, workspace_id)
        miscounted = await miscounted_segments(tx, workspace_id)
    workspace = ids.shown("workspace", workspace_id)
    return (
        [f"{workspace} {_told(difference)}" for difference in differences],
        [f"{workspace} {key}: {answers} answers" for key, answers in miscounted],
    )


def _told(difference: Difference) -> str:
    """`camp_… 2026-05-04 email v1 plan=pro: 9 is 3, should be 4`"""
    key = difference.key
    segment = f" {key['property_key']}={key['property_value']}" if key["property_key"] else ""
    wave = f" wave {key['wave']}" if key["wave"] else ""
    place = f"{ids.shown('campaign', key['campaign_id'])} {key['counted_on']} {key['channel']} v{key['survey_version']}"
    counters = enumerate(zip(difference.stored, difference.counted, strict=True))
    wrong = [f"{score} is {stored}, should be {counted}" for score, (stored, counted) in counters if stored != counted]
    return f"{place}{wave}{segment}: {'; '.join(wrong)}"
