"""Unsubscribing, by a person and by the one click of their mail program (RFC 8058)."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.db.engine import Engine
from app.db.tables import invitations, recipients
from tests.conftest import Tenant, a_tenant, running_app
from tests.faults import give_up
from tests.survey_pages.conftest import a_visitor
from tests.survey_pages.links import Asked, a_link

OFFER = "This was a mistake: subscribe again"


def place(asked: Asked) -> str:
    return f"/u/{asked.token}"


async def test_following_the_link_unsubscribes_nobody(visitor: httpx.AsyncClient, asked: Asked) -> None:
    for method in ("GET", "HEAD", "GET"):
        reply = await visitor.request(method, place(asked))
        assert reply.status_code == 200
    assert "Northwind will no longer ask <bdi>j…@…</bdi> for feedback." in reply.text
    assert (await asked.recipient())["unsubscribed_at"] is None


async def test_the_button_does(visitor: httpx.AsyncClient, asked: Asked) -> None:
    reply = await visitor.post(place(asked), data={"leave": "yes", "lang": "de"})
    assert "Sie sind abgemeldet" in reply.text
    unsubscribed_at = (await asked.recipient())["unsubscribed_at"]
    assert unsubscribed_at == (await asked.invitation())["unsubscribed_at"] is not None
    assert await asked.events() == ["recipient.unsubscribed"]
    assert "You are unsubscribed" in (await visitor.get(place(asked))).text


@pytest.mark.parametrize("sent", ["urlencoded", "multipart", "nothing"])
async def test_one_click_needs_no_page_no_cookie_and_no_redirect(app: FastAPI, asked: Asked, sent: str) -> None:
    async with a_visitor(app, **{"user-agent": "Mail program/1.0"}) as program:
        program.follow_redirects = False
        reply = await {
            "urlencoded": lambda: program.post(place(asked), data={"List-Unsubscribe": "One-Click"}),
            "multipart": lambda: program.post(place(asked), files={"List-Unsubscribe": (None, "One-Click")}),
            "nothing": lambda: program.post(place(asked)),
        }[sent]()
    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_one_click_of_the_first_mail_works_after_the_reminder_of_an_anonymous_campaign(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    first, reminder = b"f" * 22, b"r" * 22
    asked = await a_link(
        app, alice, campaign={"is_anonymous": True}, token_hash=sha256(reminder).digest(),
        unsubscribe_hash=sha256(first).digest(),
    )  # fmt: skip
    replaced = await visitor.get(f"/s/{first.decode()}")
    assert (replaced.status_code, "from the latest message" in replaced.text) == (404, True)
    reply = await visitor.post(f"/u/{first.decode()}", data={"List-Unsubscribe": "One-Click"})
    assert "You are unsubscribed" in reply.text
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_twice_is_once(visitor: httpx.AsyncClient, asked: Asked) -> None:
    for _ in range(2):
        await visitor.post(place(asked))
    assert await asked.events() == ["recipient.unsubscribed"]


async def test_a_mistake_can_be_taken_back_for_a_day(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await visitor.post(place(asked))
    assert "You are subscribed again" in (await visitor.post(place(asked), data={"return": "yes"})).text
    assert (await asked.recipient())["unsubscribed_at"] is None
    assert await asked.events() == ["recipient.unsubscribed", "recipient.updated"]
    await visitor.post(place(asked))
    await refused_at(asked, datetime.now(UTC) - timedelta(hours=25))
    await visitor.post(place(asked), data={"return": "yes"})
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_nobody_is_offered_or_told_what_a_link_cannot_do(visitor: httpx.AsyncClient, asked: Asked) -> None:
    assert OFFER in (await visitor.post(place(asked), data={"leave": "yes"})).text
    assert OFFER in (await visitor.get(place(asked))).text
    for at in (datetime.now(UTC) - timedelta(hours=25), datetime.now(UTC)):
        await refused_at(asked, at)
        await asked.change(invitations, unsubscribed_at=datetime.now(UTC) - timedelta(hours=25))
        for reply in (
            await visitor.get(place(asked)),
            await visitor.post(place(asked), data={"leave": "yes"}),
            await visitor.post(place(asked), data={"return": "yes"}),
        ):
            assert "You are unsubscribed" in reply.text
            assert OFFER not in reply.text
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_whoever_complained_is_not_told_that_they_are_back(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await visitor.post(place(asked), data={"leave": "yes"})
    async with asked.engine.write() as tx:
        person = update(recipients).where(recipients.c.id == asked.recipient_id)
        await tx.execute(person.values(complained_at=datetime.now(UTC)))
    for reply in (await visitor.get(place(asked)), await visitor.post(place(asked), data={"return": "yes"})):
        assert "You are unsubscribed" in reply.text
        assert OFFER not in reply.text


async def test_whoever_is_back_is_told_so_again(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await visitor.post(place(asked), data={"leave": "yes"})
    for _ in range(2):
        assert "You are subscribed again" in (await visitor.post(place(asked), data={"return": "yes"})).text
    assert (await asked.recipient())["unsubscribed_at"] is None


async def refused_at(asked: Asked, at: datetime) -> None:
    await asked.change(invitations, unsubscribed_at=at)
    async with asked.engine.write() as tx:
        await tx.execute(update(recipients).where(recipients.c.id == asked.recipient_id).values(unsubscribed_at=at))


async def test_a_link_takes_back_no_other_refusal(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await visitor.post(place(asked))
    await asked.change(invitations, unsubscribed_at=datetime.now(UTC))  # it was refused at another time
    await visitor.post(place(asked), data={"return": "yes"})
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_whoever_unsubscribed_may_still_answer(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await visitor.post(place(asked))
    await visitor.post(asked.path, data={"score": "9"})
    assert await asked.counted() == 1


async def test_one_click_counts_though_the_database_gave_up_at_first(own_database_url: str, own_engine: Engine) -> None:
    """A mail program does not press again."""
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        asked = await a_link(app, alice)
        await give_up(own_engine, "recipients", when="UPDATE")
        async with a_visitor(app, **{"user-agent": "Mail program/1.0"}) as program:
            reply = await program.post(place(asked), data={"List-Unsubscribe": "One-Click"})
        assert reply.status_code == 200
        assert (await asked.recipient())["unsubscribed_at"] is not None
