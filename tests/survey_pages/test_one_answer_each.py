"""Where a campaign takes one answer from each person, a link and the API lead to the same one."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.db.tables import campaigns, invitations
from app.domain import ids
from tests.builders import rows
from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link, no_answer_is_counted_wrong


@pytest.fixture
async def asked(app: FastAPI, alice: Tenant) -> Asked:
    return await a_link(app, alice, campaign={"one_answer_per_recipient": True})


def said(asked: Asked, score: int, **more: Any) -> dict[str, Any]:
    campaign_id, recipient_id = ids.shown("campaign", asked.campaign_id), ids.shown("recipient", asked.recipient_id)
    return {"campaign_id": campaign_id, "recipient_id": recipient_id, "score": score, **more}


async def by_api(alice: Tenant, asked: Asked, score: int, **more: Any) -> tuple[int, Any]:
    reply = await alice.api.post("/v1/responses", json=said(asked, score, **more))
    return reply.status_code, reply.json()


async def by_link(visitor: httpx.AsyncClient, asked: Asked, score: int, **more: str) -> str:
    reply = await visitor.post(asked.path, data={"score": str(score), "sign": "gesture", **more})
    assert reply.status_code == 200, reply.text
    return reply.text


@pytest.mark.parametrize("more", [{}, {"occasion": "order-7"}, {"import_id": "1"}])
async def test_the_api_meets_an_answer_by_link(
    visitor: httpx.AsyncClient, alice: Tenant, asked: Asked, more: dict[str, str]
) -> None:
    await by_link(visitor, asked, 2)
    status, problem = await by_api(alice, asked, 9, **more)
    assert (status, problem["code"]) == (409, "already_answered")
    status, same = await by_api(alice, asked, 2, **more)
    assert (status, same["outcome"]) == (200, "repeated")
    bulk = await alice.api.post("/v1/responses/bulk", json={"responses": [said(asked, 9, **more)]})
    assert bulk.json()["results"][0]["status"] == 409
    assert await asked.counted() == 1


async def test_a_link_shows_an_answer_by_api_and_changes_it(
    visitor: httpx.AsyncClient, alice: Tenant, asked: Asked
) -> None:
    assert (await by_api(alice, asked, 9))[0] == 201
    assert "Your answer is 9" in (await visitor.get(asked.path)).text
    assert (await asked.invitation())["state"] == "sent"
    await by_link(visitor, asked, 2, comment="Worse since.")
    response, invitation = await asked.response(), await asked.invitation()
    assert response is not None
    assert (response["score"], response["channel"], response["revision"]) == (2, "api", 2)
    assert (invitation["state"], invitation["response_id"], invitation["due_at"]) == ("answered", response["id"], None)
    assert invitation["commented_at"] is not None
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


async def test_what_was_said_elsewhere_long_ago_stands(visitor: httpx.AsyncClient, alice: Tenant, asked: Asked) -> None:
    await by_api(alice, asked, 9, answered_at="2025-05-01T12:00:00Z")
    await by_link(visitor, asked, 2)
    response = await asked.response()
    assert response is not None
    assert response["score"] == 9


@pytest.mark.parametrize("round_", range(3))
async def test_both_at_once_are_one_answer(
    visitor: httpx.AsyncClient, alice: Tenant, asked: Asked, round_: int
) -> None:
    acts = [by_link(visitor, asked, 2), *(by_api(alice, asked, score) for score in range(5, 9))]
    await asyncio.gather(*(acts if round_ else reversed(acts)))
    assert await asked.response() is not None
    assert (await asked.invitation())["state"] == "answered"
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


async def test_an_answer_meets_the_next_one_though_the_campaign_takes_one_from_each_only_since(
    app: FastAPI, visitor: httpx.AsyncClient, alice: Tenant
) -> None:
    asked = await a_link(app, alice)
    await by_api(alice, asked, 9, occasion="order-7")
    await asked.change(campaigns, one_answer_per_recipient=True)
    assert (await by_api(alice, asked, 4))[0] == 409
    await by_link(visitor, asked, 2)
    assert await asked.counted() == 1
    await asked.change(campaigns, one_answer_per_recipient=False)
    await by_link(visitor, asked, 3)
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["revision"]) == (3, 3)


async def test_whoever_had_the_link_by_mistake_answers_for_nobody(
    visitor: httpx.AsyncClient, alice: Tenant, asked: Asked
) -> None:
    await by_link(visitor, asked, 2, comment="I do not know you.", may_contact="yes")
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert await asked.counted() == 0
    status, response = await by_api(alice, asked, 2)
    assert (status, response["outcome"]) == (200, "amended")
    assert await asked.counted() == 1
    stored = await asked.response()
    assert stored is not None
    assert (stored["comment"], stored["may_contact"], stored["excluded_reason"]) == (None, None, None)
    assert (await asked.events())[-1] == "response.restored"
    assert (await by_api(alice, asked, 7))[0] == 409
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


@pytest.mark.parametrize(("score", "counted"), [(9, 1), (3, 0)])
async def test_they_take_out_what_they_changed_and_not_what_was_said_by_api(
    visitor: httpx.AsyncClient, alice: Tenant, asked: Asked, score: int, counted: int
) -> None:
    assert (await by_api(alice, asked, 9))[0] == 201
    await by_link(visitor, asked, score)
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert await asked.counted() == counted
    assert await no_answer_is_counted_wrong(asked.engine, asked.workspace_id)


async def test_a_second_link_of_the_same_person_leads_to_their_answer(
    app: FastAPI, visitor: httpx.AsyncClient, alice: Tenant, asked: Asked
) -> None:
    other = await a_link(app, alice)
    same = {"campaign_id": asked.campaign_id, "recipient_id": asked.recipient_id, "slot": "another"}
    await other.change(invitations, **same)
    await by_link(visitor, asked, 8)
    assert "Your answer is 8" in (await visitor.get(other.path)).text
    await by_link(visitor, other, 3)
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["invitation_id"]) == (3, asked.invitation_id)
    assert (await other.invitation())["response_id"] == response["id"]


async def test_an_anonymous_link_tells_of_no_answer_but_its_own(
    app: FastAPI, visitor: httpx.AsyncClient, alice: Tenant
) -> None:
    asked = await a_link(app, alice, campaign={"one_answer_per_recipient": True, "is_anonymous": True})
    body = {"campaign_id": ids.shown("campaign", asked.campaign_id), "score": 9}
    assert (await alice.api.post("/v1/responses", json=body)).status_code == 201
    assert "Your answer is 9" not in (await visitor.get(asked.path)).text
    await by_link(visitor, asked, 2)
    counted = await rows(asked.engine, "SELECT score FROM responses WHERE campaign_id = :c", c=asked.campaign_id)
    assert sorted(row["score"] for row in counted) == [2, 9]
