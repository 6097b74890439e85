"""Whoever is doubted is told, and a second press counts; what takes something back is doubted as answers are."""

import re
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from app.db.tables import campaigns, invitations, messages
from app.domain.survey.scanner import Hit
from app.domain.survey.survey_token import token_digest
from app.operations.invitations.clocks import note_stale_clocks, set_clocks_anew
from tests.conftest import Tenant
from tests.survey_pages.conftest import a_visitor
from tests.survey_pages.links import Asked, a_link
from tests.survey_pages.test_further_questions import QUESTIONS

DOUBTED = "Please press the button once more."
SCANNER = {"user-agent": "Mozilla/5.0 (compatible; ProofpointBot/1.0)"}


@pytest.fixture
async def quick(app: FastAPI, alice: Tenant) -> Asked:
    """Somebody opened the link of a mail that had just gone out, and has read the page since."""
    asked = await a_link(app, alice, survey={"questions": QUESTIONS}, mailed=timedelta(seconds=30))
    app.state.services.visits.note(token_digest(asked.token), Hit(datetime.now(UTC) - timedelta(seconds=25), linked=2))
    return asked


def again_of(reply: httpx.Response) -> dict[str, str]:
    assert reply.status_code == 200
    assert DOUBTED in reply.text
    (again,) = re.findall(r'name="again" value="(\d+)"', reply.text)
    return {"again": again}


def after_reading(app: FastAPI, asked: Asked, reply: httpx.Response) -> dict[str, str]:
    """The field that comes along, and everything three seconds ago."""
    visit = app.state.services.visits._visit(token_digest(asked.token))
    visit.hits = deque(replace(hit, at=hit.at - timedelta(seconds=3)) for hit in visit.hits)
    return {"again": str(int(again_of(reply)["again"]) - 3_000)}


async def test_a_quick_reader_without_a_script_is_told_and_counts_with_the_second_press(
    app: FastAPI, visitor: httpx.AsyncClient, quick: Asked
) -> None:
    form = {"score": "2", "sign": "", "lang": "en", "comment": "Too <slow>", "may_contact": "yes"}
    reply = await visitor.post(quick.path, data=form)
    assert await quick.counted() == 0
    assert "Too &lt;slow&gt;</textarea>" in reply.text
    assert 'value="2" required checked' in reply.text
    assert 'value="yes" checked' in reply.text
    assert "A little more" in (await visitor.post(quick.path, data=form | after_reading(app, quick, reply))).text
    assert await quick.counted() == 1
    assert (await quick.response() or {})["comment"] == "Too <slow>"
    more = {"part": "more", "lang": "en", "asked": "reason", "q-reason": "price"}
    assert DOUBTED not in (await visitor.post(quick.path, data=more)).text
    assert (await quick.response() or {})["answers"]["reason"] == "price"


async def test_a_permission_that_is_taken_back_stays_so_where_that_is_doubted(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await visitor.post(asked.path, data={"score": "9", "comment": "Good", "may_contact": "yes"})
    for form in ({"score": "9", "withdraw": "yes"}, {"withdraw": "yes"}):  # the other has no score
        html = (await visitor.post(asked.path, data=form, headers=SCANNER)).text
        assert '<input type="checkbox" name="may_contact" value="yes">' in html
        assert '<input type="checkbox" name="withdraw" value="yes" checked>' in html


async def test_an_anonymous_answer_that_is_doubted_is_not_thanked_for_either(app: FastAPI, alice: Tenant) -> None:
    asked = await a_link(app, alice, campaign={"is_anonymous": True}, mailed=timedelta(seconds=5))
    async with a_visitor(app) as visitor:
        reply = await visitor.post(asked.path, data={"score": "9"})
        assert again_of(reply)
        assert await asked.response() is None
        await asked_long_after_the_mail(asked)
        reply = await visitor.post(asked.path, data={"score": "9", **after_reading(app, asked, reply)})
    assert "Thank you" in reply.text
    assert await asked.counted() == 1


async def asked_long_after_the_mail(asked: Asked) -> None:
    async with asked.engine.write() as tx:
        sent = messages.update().where(messages.c.invitation_id == asked.invitation_id)
        await tx.execute(sent.values(settled_at=datetime.now(UTC) - timedelta(minutes=1)))


async def test_whoever_presses_again_without_reading_is_asked_again(
    app: FastAPI, visitor: httpx.AsyncClient, quick: Asked
) -> None:
    reply = await visitor.post(quick.path, data={"score": "2"})
    for _ in range(2):
        reply = await visitor.post(quick.path, data={"score": "2", **again_of(reply)})
    assert again_of(reply)
    assert await quick.counted() == 0


async def test_a_program_that_says_so_may_press_as_often_as_it_likes(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app, **SCANNER) as scanner:
        reply = await scanner.post(asked.path, data={"score": "9"})
        for _ in range(2):
            reply = await scanner.post(asked.path, data={"score": "9", **after_reading(app, asked, reply)})
    assert await asked.counted() == 0


async def test_further_answers_that_are_doubted_are_asked_for_again(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    asked = await a_link(app, alice, survey={"questions": QUESTIONS})
    await visitor.post(asked.path, data={"score": "2", "lang": "en"})
    for score in (0, 5):
        await visitor.get(asked.path, params={"score": score})
    more = {"part": "more", "lang": "en", "asked": "reason", "q-reason": "price"}
    reply = await visitor.post(asked.path, data=more)
    assert 'value="price" checked' in reply.text.replace(" required", "")
    assert "reason" not in ((await asked.response() or {})["answers"] or {})
    await visitor.post(asked.path, data=more | after_reading(app, asked, reply))
    assert (await asked.response() or {})["answers"]["reason"] == "price"


async def test_what_was_answered_with_a_gesture_and_stays_is_said_to_stay(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await visitor.post(f"{asked.path}/signs", data={"sign": "gesture", "score": "9"})
    reply = await visitor.post(asked.path, data={"score": "1", "lang": "en"})
    assert "Your answer is 9." in reply.text
    assert (await asked.response() or {})["score"] == 9


@pytest.mark.parametrize("age", [timedelta(days=1), timedelta(days=30)])
async def test_a_program_disowns_no_answer_and_unsubscribes_nobody(app: FastAPI, alice: Tenant, age: timedelta) -> None:
    asked = await a_link(app, alice, age=age)
    async with a_visitor(app) as person:
        await person.post(asked.path, data={"score": "9", "sign": "gesture", "comment": "Great"})
    for headers in (SCANNER, {}):
        async with a_visitor(app, **headers) as scanner:
            for query in ("?score=1", "?score=5", "?not-me", "?change"):
                await scanner.get(asked.path + query)
            assert again_of(await scanner.post(asked.path, data={"not_me": "yes", "lang": "en"}))
            assert again_of(await scanner.post(f"/u/{asked.token}", data={"leave": "yes", "lang": "en"}))
    assert await asked.counted() == 1
    assert (await asked.recipient())["unsubscribed_at"] is None
    assert (await asked.invitation())["flag_reason"] == "program"


async def test_a_program_subscribes_nobody_again(app: FastAPI, asked: Asked) -> None:
    async with a_visitor(app, **SCANNER) as scanner:
        await scanner.post(f"/u/{asked.token}", data={"List-Unsubscribe": "One-Click"})
        assert (await asked.recipient())["unsubscribed_at"] is not None
        assert again_of(await scanner.post(f"/u/{asked.token}", data={"return": "yes", "lang": "en"}))
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_a_person_who_was_doubted_disowns_and_unsubscribes_with_the_second_press(
    app: FastAPI, visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await visitor.post(asked.path, data={"score": "9", "sign": "gesture"})
    for score in (0, 5):
        await visitor.get(asked.path, params={"score": score})
    reply = await visitor.post(asked.path, data={"not_me": "yes"})
    await visitor.post(asked.path, data={"not_me": "yes", **after_reading(app, asked, reply)})
    assert (await asked.response() or {})["excluded_reason"] == "not_me"
    for score in (0, 5):
        await visitor.get(asked.path, params={"score": score})
    reply = await visitor.post(f"/u/{asked.token}", data={"leave": "yes"})
    await visitor.post(f"/u/{asked.token}", data={"leave": "yes", **after_reading(app, asked, reply)})
    assert (await asked.recipient())["unsubscribed_at"] is not None


async def test_whoever_is_somebody_else_is_reminded_of_nothing(
    visitor: httpx.AsyncClient, app: FastAPI, asked: Asked
) -> None:
    await asked.change(campaigns, asking={"trigger": {"kind": "once"}, "reminders": [{"after_days": 3}]})
    await asked.change(invitations, due_at=datetime.now(UTC) + timedelta(days=3))
    await visitor.get(asked.path, params={"not-me": ""})
    assert (await asked.invitation())["due_at"]
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert (await asked.invitation())["due_at"] is None
    async with app.state.services.engine.write() as tx:  # as an edit of the campaign does
        await note_stale_clocks(tx, asked.workspace_id, asked.campaign_id)
        await set_clocks_anew(tx, now=datetime.now(UTC))
    assert (await asked.invitation())["due_at"] is None


async def test_nor_is_whoever_says_so_before_their_mail_was_written_down(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await asked.change(invitations, state="sending")
    await visitor.get(asked.path, params={"not-me": ""})
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert (await asked.invitation())["is_cancelled"]  # so that whoever writes it down sets no clock
