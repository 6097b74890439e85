"""An anonymous campaign: nothing in the database leads from an answer to whoever gave it."""

import json
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from app.db.tables import invitations, metadata
from app.operations.reward_codes import add_codes
from tests.builders import rows
from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link

BERLIN = ZoneInfo("Europe/Berlin")  # where Alice's workspace is


@pytest.fixture
async def hidden(app: FastAPI, alice: Tenant) -> Asked:
    person = {"properties": {"plan": "pro"}, "locale": "de", "name": "Jane"}
    return await a_link(app, alice, campaign={"is_anonymous": True}, person=person)


async def sent(visitor: httpx.AsyncClient, asked: Asked, score: int, comment: str = "") -> str:
    form = {"score": str(score), "comment": comment, "may_contact": "yes", "lang": "en"}
    reply = await visitor.post(asked.path, data=form)
    assert reply.status_code == 200
    return reply.text


def midnight() -> datetime:
    return datetime.now(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def moment_of(made: UUID) -> datetime:
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


async def everything(asked: Asked) -> list[str]:
    return await everything_in(asked.engine, asked.workspace_id)


async def everything_in(engine: Engine, workspace_id: UUID) -> list[str]:
    """Every row of every table of the workspace."""
    found: list[str] = []
    async with engine.read() as tx:
        for table in metadata.sorted_tables:
            if "workspace_id" in table.c:
                query = text(
                    f"SELECT (to_jsonb(t) - 'last_used_at')::text FROM {table.name} t WHERE workspace_id = :id"
                )
                found += (await tx.execute(query, {"id": workspace_id})).scalars()
    return sorted(found)


async def test_an_answer_knows_nothing_of_its_person(visitor: httpx.AsyncClient, hidden: Asked) -> None:
    page = (await visitor.get(hidden.path, params={"score": 9})).text
    assert "Ihre Antwort ist anonym" in page
    assert "kontaktieren" not in page
    assert "Thank you, friend!" in await sent(visitor, hidden, 9, "Too many meetings.")
    response = await hidden.response()
    assert response is not None
    for name in ("recipient_id", "invitation_id", "client_key_id", "language", "may_contact", "recipient_properties"):
        assert response[name] is None, name
    assert (response["score"], response["comment"], response["segments"]) == (9, "Too many meetings.", {})


async def test_nobody_is_told_apart_by_how_they_came(app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient) -> None:
    for channel in ("email", "link"):
        hidden = await a_link(app, alice, campaign={"is_anonymous": True}, channel=channel, wave=2)
        await sent(visitor, hidden, 9)
        shown = (await alice.api.get("/v1/responses", params={"channel": "link"})).json()["data"][0]
        assert (shown["channel"], shown["wave"], shown["survey_version"]) == ("link", None, None)
        response = await hidden.response()
        assert response is not None
        assert response["wave"] == 2  # to count by


async def test_the_day_is_the_only_time_there_is(app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient) -> None:
    survey = {"reward": {"en": "Your code:"}}
    hidden = await a_link(app, alice, survey=survey, campaign={"is_anonymous": True})
    async with hidden.engine.write() as tx:
        await add_codes(tx, hidden.workspace_id, hidden.campaign_id, ["THANKS-1"])
    assert "THANKS-1" in await sent(visitor, hidden, 9)
    response = await hidden.response()
    assert response is not None
    (event,) = await rows(hidden.engine, "SELECT * FROM events WHERE response_id = :id", id=response["id"])
    instants = [response[name] for name in ("answered_at", "created_at", "updated_at")]
    (code,) = await rows(hidden.engine, "SELECT * FROM reward_codes WHERE campaign_id = :id", id=hidden.campaign_id)
    instants += [
        code["given_at"],
        event["occurred_at"],
        event["created_at"],
        moment_of(response["id"]),
        moment_of(event["id"]),
    ]
    assert set(instants) == {midnight()}
    assert response["counted_on"] == datetime.now(BERLIN).date()


async def test_no_row_of_any_table_knows_both(app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient) -> None:
    survey = {"reward": {"en": "Your code:"}}
    hidden = await a_link(app, alice, survey=survey, campaign={"is_anonymous": True})
    async with hidden.engine.write() as tx:
        await add_codes(tx, hidden.workspace_id, hidden.campaign_id, ["THANKS-1"])
    await sent(visitor, hidden, 9)
    response = await hidden.response()
    assert response is not None
    answer = [str(response[name]) for name in ("id", "client_ref")] + [response["id"].hex]
    person = [str(hidden.recipient_id), str(hidden.invitation_id), hidden.recipient_id.hex, hidden.invitation_id.hex]
    told = [row for row in await everything(hidden) if any(mark in row for mark in answer)]
    assert len(told) >= 2
    assert [row for row in told if any(mark in row for mark in [*person, "Jane", "example.com", hidden.token])] == []
    assert [row for row in told if "THANKS-1" in row] == []


async def test_the_invitation_is_marked_later_and_with_others(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    first = await a_link(app, alice, campaign={"is_anonymous": True})
    links = [first, *[await another(app, alice, first) for _ in range(4)]]
    before = [await link.invitation() for link in links]
    for link in links[:4]:
        await sent(visitor, link, 9)
    assert [await link.invitation() for link in links] == before
    await sent(visitor, links[4], 2)
    after = [await link.invitation() for link in links]
    assert {one["state"] for one in after} == {"answered"}
    assert {one["answered_at"] for one in after} == {midnight()}
    assert len({one["changed_in"] for one in after}) == 1
    assert {one["response_id"] for one in after} == {None}


async def test_nobody_is_marked_alone_when_those_who_are_marked_say_more(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    first = await a_link(app, alice, campaign={"is_anonymous": True})
    links = [first, *[await another(app, alice, first) for _ in range(9)]]
    for link in [*links[:5], *links[:4], links[5]]:
        await sent(visitor, link, 9)
    assert await marked(links) == links[:5]
    for link in links[6:9]:
        await sent(visitor, link, 9)
    assert await marked(links) == links[:5]
    await sent(visitor, links[9], 9)
    assert await marked(links) == links


async def test_what_another_process_has_marked_is_not_counted_again(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    first = await a_link(app, alice, campaign={"is_anonymous": True})
    links = [first, *[await another(app, alice, first) for _ in range(4)]]
    for link in links[:4]:
        await sent(visitor, link, 9)
        await link.change(invitations, state="answered")
    await sent(visitor, links[4], 9)
    assert await marked(links) == links[:4]


async def marked(links: list[Asked]) -> list[Asked]:
    return [link for link in links if (await link.invitation())["state"] == "answered"]


async def another(app: FastAPI, tenant: Tenant, first: Asked) -> Asked:
    """Of the same campaign."""
    made = await a_link(app, tenant, campaign={"is_anonymous": True})
    async with made.engine.write() as tx:
        query = text("UPDATE invitations SET campaign_id = :campaign WHERE id = :id")
        await tx.execute(query, {"campaign": first.campaign_id, "id": made.invitation_id})
    return made


async def test_one_link_is_one_answer_which_may_be_changed_that_day(visitor: httpx.AsyncClient, hidden: Asked) -> None:
    await sent(visitor, hidden, 9)
    await sent(visitor, hidden, 3, "On second thoughts.")
    response = await hidden.response()
    assert response is not None
    assert (response["score"], response["comment"]) == (3, "On second thoughts.")
    events = await rows(hidden.engine, "SELECT body FROM events WHERE response_id = :id", id=response["id"])
    assert "Jane" not in json.dumps([event["body"] for event in events])


async def test_nothing_is_noted_of_who_opens_the_page(visitor: httpx.AsyncClient, hidden: Asked) -> None:
    before = await hidden.invitation()
    for score in range(11):
        await visitor.get(hidden.path, params={"score": score})
    await visitor.post(f"{hidden.path}/signs", data={"sign": "seen"})
    await visitor.post(hidden.path, data={"score": "9"})  # after eleven links nobody believes it
    assert await hidden.response() is None
    assert await hidden.invitation() == before


async def test_saying_that_it_is_somebody_else_takes_nothing_out(visitor: httpx.AsyncClient, hidden: Asked) -> None:
    await sent(visitor, hidden, 9)
    await visitor.post(hidden.path, data={"not_me": "yes"})
    assert await hidden.counted() == 1
