"""What is shown before anything has happened is shaped as what is sent when it does."""

from typing import Any

import pytest

from app.db.engine import Engine
from app.domain.events import BAND_ALIASES, SUBSCRIBABLE
from app.domain.ids import shown
from tests.api.test_events import record
from tests.builders import a_campaign
from tests.conftest import Tenant
from tests.contract import event_faults


async def sample(tenant: Tenant, name: str) -> list[dict[str, Any]]:
    reply = await tenant.api.get("/v1/events/sample", params={"type": name})
    assert reply.status_code == 200, reply.text
    return list(reply.json()["data"])


async def test_another_workspaces_events_are_no_samples(alice: Tenant, charlie: Tenant, engine: Engine) -> None:
    await record(charlie, await a_campaign(engine, charlie.workspace_id), comment="charliesown")
    (event,) = await sample(alice, "response.created")
    assert "charliesown" not in str(event)
    assert event["workspace_id"] == shown("workspace", alice.workspace_id)


@pytest.mark.parametrize("name", sorted(SUBSCRIBABLE))
async def test_every_type_has_a_sample_before_it_has_happened(alice: Tenant, name: str) -> None:
    (event,) = await sample(alice, name)
    assert event_faults(event) == []
    assert event["type"] == ("response.created" if name in BAND_ALIASES else name)
    if name in BAND_ALIASES:
        assert event["data"]["response"]["band"] == BAND_ALIASES[name]
    assert await sample(alice, name) == [event]  # with the same id: whoever polls must not take it for news


async def test_what_has_happened_is_shown_the_newest_first(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    detractors = [await record(alice, campaign, score=score) for score in (0, 1, 2, 3)]
    promoter = await record(alice, campaign, score=10)
    seen = [event["data"]["response"]["id"] for event in await sample(alice, "response.detractor")]
    assert seen == detractors[:0:-1]
    assert [event["data"]["response"]["id"] for event in await sample(alice, "response.promoter")] == [promoter]
    feed = (await alice.api.get("/v1/events", params={"type": "response.promoter"})).json()["data"]
    assert await sample(alice, "response.promoter") == feed


@pytest.mark.parametrize("parameters", [{}, {"type": "response.exploded"}, {"type": "response.created", "limit": 1}])
async def test_bad_parameters_are_refused(alice: Tenant, parameters: dict[str, Any]) -> None:
    assert (await alice.api.get("/v1/events/sample", params=parameters)).status_code == 422
