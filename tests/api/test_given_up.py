"""A request whose transaction PostgreSQL gives up, as it does with one of two that wait for each other, or that lost a
race for the same row.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.db.engine import Engine
from app.db.group_commit import IMMEDIATE_REPLAYS
from tests.builders import rows
from tests.conftest import Tenant, a_tenant, running_app
from tests.faults import give_up

PERSON = {"external_id": "ada", "name": "Ada"}


@pytest.fixture
async def own_alice(own_database_url: str, own_engine: Engine) -> AsyncIterator[Tenant]:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        yield alice


async def events(engine: Engine) -> list[dict[str, Any]]:
    return await rows(engine, "SELECT type FROM events WHERE type = 'recipient.created'")


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "23505", "23503"])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}])
async def test_it_is_done_again_as_if_nothing_had_been(
    own_alice: Tenant, own_engine: Engine, sqlstate: str, headers: dict[str, str]
) -> None:
    await give_up(own_engine, "events", when="INSERT", sqlstate=sqlstate, times=IMMEDIATE_REPLAYS)
    reply = await own_alice.api.post("/v1/recipients", json=PERSON, headers=headers)
    assert reply.status_code == 201
    assert reply.json()["name"] == "Ada"
    assert len(await events(own_engine)) == 1


@pytest.mark.parametrize(
    ("sqlstate", "times"), [("40P01", IMMEDIATE_REPLAYS + 1), ("55P03", 1), ("57P01", 1), ("25006", 1), ("08006", 1)]
)
async def test_what_does_not_help_is_left_to_the_caller(
    own_alice: Tenant, own_engine: Engine, sqlstate: str, times: int
) -> None:
    await give_up(own_engine, "events", when="INSERT", sqlstate=sqlstate, times=times)
    reply = await own_alice.api.post("/v1/recipients", json=PERSON)
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) >= 1
    assert await events(own_engine) == []
    assert (await own_alice.api.post("/v1/recipients", json=PERSON)).status_code == 201


async def test_it_is_one_request_of_its_key_however_often_it_is_done(own_database_url: str, own_engine: Engine) -> None:
    async with (
        running_app(own_database_url, rate_limit_per_second=1) as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        await give_up(own_engine, "events", when="INSERT", sqlstate="40P01", times=IMMEDIATE_REPLAYS)
        assert (await alice.api.post("/v1/recipients", json=PERSON)).status_code == 201
