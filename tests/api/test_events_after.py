"""The feed for whoever remembers the last event they handled, and no cursor."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import events
from app.domain.ids import parsed
from tests.api.test_events import an_open_transaction, of, read, record
from tests.builders import a_campaign
from tests.conftest import Tenant, a_tenant, running_app

UNKNOWN = "evt_0198c1f2a7b3708c9d4e5f60718293a4"


async def refusal(tenant: Tenant, **parameters: Any) -> tuple[int, str]:
    reply = await tenant.api.get("/v1/events", params=parameters)
    return reply.status_code, reply.json()["code"]


async def last_event(tenant: Tenant) -> str:
    return str((await read(tenant))["data"][-1]["id"])


async def test_what_follows_an_event_is_read_without_a_gap(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    recorded = [await record(alice, campaign) for _ in range(6)]
    seen: list[str] = []
    page = await read(alice, limit=2)
    while page["data"]:
        seen += [response for _, response in of(page)]
        page = await read(alice, limit=2, after=page["data"][-1]["id"])
    assert seen == recorded


async def test_the_last_event_is_a_place_to_wait_at(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    page = await read(alice, after=await last_event(alice))
    assert page["data"] == []
    late = await record(alice, campaign)
    assert of(await read(alice, cursor=page["next_cursor"])) == [("response.created", late)]


async def test_what_is_committed_late_is_not_passed_by(own_database_url: str, own_engine: Engine) -> None:
    async with (
        running_app(own_database_url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        campaign = await a_campaign(own_engine, alice.workspace_id)
        await record(alice, campaign)
        handled = await last_event(alice)
        async with an_open_transaction(own_database_url) as late:
            await late.execute(
                "INSERT INTO events (workspace_id, id, type, occurred_at, body)"
                """ VALUES ($1, $2, 'response.created', now(), '{"response": {"id": "late"}}')""",
                alice.workspace_id, new_id(datetime.now(UTC)),
            )  # fmt: skip
            early = await record(alice, campaign)
            assert of(await read(alice, after=handled)) == []
            await late.execute("COMMIT")
        assert of(await read(alice, after=handled)) == [("response.created", "late"), ("response.created", early)]


async def test_filters_hold_behind_an_event_of_another_type(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign, score=9)
    handled = await last_event(alice)
    detractor = await record(alice, campaign, score=2)
    await record(alice, campaign, score=9)
    found = await read(alice, after=handled, type="response.detractor")
    assert of(found) == [("response.created", detractor)]


async def test_the_link_to_the_next_page_leaves_the_event_out(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await record(alice, campaign)
    handled = await last_event(alice)
    first, second = await record(alice, campaign), await record(alice, campaign)
    reply = await alice.api.get("/v1/events", params={"after": handled, "limit": 1})
    assert of(reply.json()) == [("response.created", first)]
    following = await alice.api.get(reply.links["next"]["url"])
    assert of(following.json()) == [("response.created", second)]


async def test_an_event_that_nobody_knows_is_no_place(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    await record(alice, await a_campaign(engine, alice.workspace_id))
    event = await last_event(alice)
    assert await refusal(alice, after=UNKNOWN) == (404, "event_not_found")
    assert await refusal(charlie, after=event) == (404, "event_not_found")


async def test_an_event_that_is_no_longer_kept_is_no_place(alice: Tenant, engine: Engine) -> None:
    """Where the feed goes on behind it nobody can tell any more: others may have been forgotten since."""
    await record(alice, await a_campaign(engine, alice.workspace_id))
    event = await last_event(alice)
    async with engine.write() as tx:
        long_ago = datetime.now(UTC) - timedelta(days=30, seconds=1)
        of_alice = (events.c.workspace_id == alice.workspace_id) & (events.c.id == parsed("event", event))
        await tx.execute(update(events).where(of_alice).values(created_at=long_ago))
    assert await refusal(alice, after=event) == (404, "event_not_found")


@pytest.mark.parametrize("cursor", ["end", "eyJpZCI6ICIwIn0"])
async def test_there_is_one_place_to_begin_at(alice: Tenant, cursor: str) -> None:
    reply = await alice.api.get("/v1/events", params={"after": UNKNOWN, "cursor": cursor})
    assert reply.status_code == 422
    assert reply.json()["errors"] == [{"in": "query", "pointer": "/after", "detail": "give after or cursor, not both"}]


async def test_an_id_of_another_kind_is_refused(alice: Tenant) -> None:
    assert await refusal(alice, after="resp_0198c1f2a7b3708c9d4e5f60718293a4") == (422, "validation_failed")
