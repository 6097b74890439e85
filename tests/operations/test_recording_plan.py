"""Recording is planned without nested loops, where joining a table means reading the whole of it."""

import re
from itertools import pairwise

from app.db.engine import Engine
from app.db.lane import Lane
from app.db.statements import fetch
from app.operations.responses.insert_batch import INPUT, INSERT_BATCH
from app.operations.responses.recorder import PLAN_SETTINGS
from tests.conftest import a_tenant, running_app
from tests.survey_pages.links import a_link

MANY = 5_000
CROWD = f"""
    WITH people AS (
        INSERT INTO recipients (workspace_id, id, external_id)
        SELECT $1, gen_random_uuid(), 'crowd-' || n FROM generate_series(1, {MANY}) AS n RETURNING id
    ), asked AS (
        INSERT INTO invitations (workspace_id, id, campaign_id, recipient_id, slot, survey_version)
        SELECT $1, gen_random_uuid(), $2, id, 'crowd', 1 FROM people
    )
    INSERT INTO responses (workspace_id, id, campaign_id, survey_version, slot, channel, score, counted_on, answered_at)
    SELECT $1, id, $2, 1, id::text, 'api', 9, current_date, now() FROM people
"""
GROWING = re.compile(r"Scan.* on (invitations|responses|recipients) ")


async def test_it_finds_everything_by_its_key(own_database_url: str, own_engine: Engine) -> None:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        asked = await a_link(app, alice)
    async with own_engine.write() as tx:
        await fetch(tx, CROWD, asked.workspace_id, asked.campaign_id)
        await fetch(tx, "ANALYZE recipients, invitations, responses")

    lane = Lane(own_engine, **PLAN_SETTINGS)
    try:
        connection = await lane.connection()
        plan = [row[0].strip() for row in await connection.fetch(f"EXPLAIN {INSERT_BATCH}", *([] for _ in INPUT))]
    finally:
        await lane.close()

    read = {line: next_line for line, next_line in pairwise(plan) if GROWING.search(line)}
    assert len(read) == 5
    assert [line for line, condition in read.items() if not re.search(r"Index Cond: .*\bAND\b", condition)] == []
