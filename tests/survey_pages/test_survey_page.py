"""What a personal link does for whoever has no script: everything."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update

from app.api.rate_limit import RateLimit
from app.db.engine import Engine
from app.db.tables import campaigns, invitations, responses, touchpoints
from app.domain.mail.trial_mail import NOWHERE
from app.domain.scores.metric import METRICS
from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link, no_answer_is_counted_wrong

NOW = datetime.now(UTC)


async def sent(visitor: httpx.AsyncClient, asked: Asked, **form: Any) -> str:
    reply = await visitor.post(asked.path, data={"lang": "en", **form})
    assert reply.status_code == 200, reply.text
    return reply.text


async def signed(visitor: httpx.AsyncClient, asked: Asked, sign: str, score: int | None = None) -> int:
    form = {"sign": sign} | ({"score": str(score)} if score is not None else {})
    return (await visitor.post(f"{asked.path}/signs", data=form)).status_code


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_following_a_link_is_no_answer(visitor: httpx.AsyncClient, asked: Asked, method: str) -> None:
    before = await asked.invitation()
    for score in (*range(11), 99, "x", ""):
        reply = await visitor.request(method, asked.path, params={"score": score})
        assert reply.status_code == 200
    assert await asked.response() is None
    after = await asked.invitation()
    assert {**after, "scanner_hits": 0} == {
        **before,
        **{name: after[name] for name in ("flagged_at", "flag_reason", "revision", "changed_in")},
    }


async def test_the_score_of_the_link_is_chosen_already(visitor: httpx.AsyncClient, asked: Asked) -> None:
    page = (await visitor.get(asked.path, params={"score": 9})).text
    assert 'value="9" required checked' in page
    assert page.count(" checked") == 1
    assert "checked" not in (await visitor.get(asked.path)).text


async def test_send_records_the_answer_where_it_belongs(
    engine: Engine, visitor: httpx.AsyncClient, asked: Asked
) -> None:
    page = await sent(visitor, asked, score="9", comment="  Quick.\r\nFriendly. ", may_contact="yes")
    response = await asked.response()
    assert response is not None
    told = {name: response[name] for name in ("score", "comment", "may_contact", "certainty", "channel", "language")}
    assert told == {
        "score": 9, "comment": "Quick.\nFriendly.", "may_contact": True, "certainty": "confirmed", "channel": "email",
        "language": "en",
    }  # fmt: skip
    assert (response["invitation_id"], response["recipient_id"]) == (asked.invitation_id, asked.recipient_id)
    invitation = await asked.invitation()
    assert (invitation["state"], invitation["page_opened_at"] is not None) == ("answered", True)
    assert "Thank you, Jane!" in page
    assert 'href="https://reviews.example/northwind"' in page
    assert await no_answer_is_counted_wrong(engine, asked.workspace_id)


@pytest.mark.parametrize("is_anonymous", [False, True])
async def test_an_answer_has_the_properties_of_what_it_is_about_unless_they_would_tell_who_gave_it(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, is_anonymous: bool
) -> None:
    touchpoint_id = uuid4()
    asked = await a_link(app, alice, campaign={"is_anonymous": is_anonymous}, touchpoint_id=touchpoint_id)
    ticket = {"agent": "kim", "order": "o-77"}
    async with asked.engine.write() as tx:
        await tx.execute(
            insert(touchpoints).values(
                workspace_id=asked.workspace_id, id=touchpoint_id, name="ticket", recipient_id=asked.recipient_id,
                occurred_at=NOW, properties=ticket,
            )
        )  # fmt: skip
    await sent(visitor, asked, score="9")
    response = await asked.response()
    assert response is not None
    assert response["properties"] == ({} if is_anonymous else ticket)


async def test_the_thanks_are_those_of_the_band(visitor: httpx.AsyncClient, asked: Asked) -> None:
    assert "We are sorry." in await sent(visitor, asked, score="2")


async def test_send_without_a_score_asks_for_one_and_keeps_what_was_written(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    for score in ("", "11", "-1", "9.5", "nine", "٩"):
        reply = await visitor.post(asked.path, data={"score": score, "comment": "Mind the <gap>"})
        assert reply.status_code == 422
        assert "Please choose a score first." in reply.text
        assert "Mind the &lt;gap&gt;" in reply.text
    assert await asked.response() is None


async def test_what_no_database_can_hold_does_not_keep_an_answer_out(visitor: httpx.AsyncClient, asked: Asked) -> None:
    form = "score=9&comment=%00a%ED%A0%80b%FF%08c&lang=%00"
    reply = await visitor.post(asked.path, content=form, headers={"content-type": "application/x-www-form-urlencoded"})
    assert reply.status_code == 200
    response = await asked.response()
    assert response is not None
    assert response["comment"].startswith("a")


async def test_a_very_long_comment_is_cut_and_not_refused(visitor: httpx.AsyncClient, asked: Asked) -> None:
    await sent(visitor, asked, score="9", comment="ä" * 12_000)
    response = await asked.response()
    assert response is not None
    assert len(response["comment"]) == 10_000


async def test_an_answer_may_be_changed_and_added_to(engine: Engine, visitor: httpx.AsyncClient, asked: Asked) -> None:
    await sent(visitor, asked, score="9")
    again = (await visitor.get(asked.path)).text
    assert "You have already answered" in again
    assert "Your answer is 9." in again
    await sent(visitor, asked, score="3", comment="It broke.")
    await sent(visitor, asked, score="3", may_contact="yes")
    response = await asked.response()
    assert response is not None
    assert (response["score"], response["comment"], response["may_contact"]) == (3, "It broke.", True)
    assert await asked.events() == ["response.created", "response.band_changed", "response.updated"]
    change = (await visitor.get(asked.path, params={"change": ""})).text
    assert "It broke." not in change  # the link may have been passed on
    assert 'value="3" required checked' in change
    await sent(visitor, asked, score="3")
    assert (await asked.response() or {})["may_contact"] is False
    assert await no_answer_is_counted_wrong(engine, asked.workspace_id)


async def test_after_two_weeks_it_stands(visitor: httpx.AsyncClient, asked: Asked, engine: Engine) -> None:
    await sent(visitor, asked, score="9")
    async with engine.write() as tx:
        old = {"answered_at": NOW - timedelta(days=15), "created_at": NOW - timedelta(days=15)}
        await tx.execute(update(responses).where(responses.c.campaign_id == asked.campaign_id).values(**old))
    assert "It can no longer be changed." in await sent(visitor, asked, score="3")
    assert await signed(visitor, asked, "change", 3) == 204
    assert (await asked.response() or {})["score"] == 9


async def test_another_link_of_the_same_mail_shows_what_was_answered_and_changes_nothing(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    await sent(visitor, asked, score="9")
    page = (await visitor.get(asked.path, params={"score": 2})).text
    assert "Your answer is 9." in page
    assert 'value="2" required checked' in page
    assert await signed(visitor, asked, "gesture", 2) == 204
    assert (await asked.response() or {})["score"] == 9


@pytest.mark.parametrize(
    ("invitation", "campaign", "words"),
    [
        ({"expires_at": NOW - timedelta(days=1)}, {}, "This survey has closed"),
        ({"state": "expired"}, {}, "This survey has closed"),
        ({}, {"state": "archived"}, "This survey has ended"),
    ],
)
async def test_what_is_over_says_so_and_takes_nothing(
    visitor: httpx.AsyncClient, asked: Asked, invitation: dict[str, Any], campaign: dict[str, Any], words: str
) -> None:
    if invitation:
        await asked.change(invitations, **invitation)
    if campaign:
        await asked.change(campaigns, **campaign)
    assert words in (await visitor.get(asked.path)).text
    assert words in await sent(visitor, asked, score="9")
    assert await signed(visitor, asked, "change", 9) == 204
    assert await asked.response() is None


@pytest.mark.parametrize("token", ["a" * 22, "short", "a" * 500, "%00", "ä" * 22])
@pytest.mark.parametrize("root", ["s", "u"])
async def test_an_unknown_link_is_a_page_in_the_readers_language(
    visitor: httpx.AsyncClient, token: str, root: str
) -> None:
    reply = await visitor.get(f"/{root}/{token}", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    assert reply.status_code == 404
    assert 'lang="de' in reply.text
    assert "Dieser Link funktioniert nicht" in reply.text
    assert (await visitor.post(f"/{root}/{token}", data={"score": "9"})).status_code == 404


async def test_the_links_of_a_trial_mail_say_that_they_count_for_nobody(visitor: httpx.AsyncClient) -> None:
    for path in (f"/s/{NOWHERE}?score=9", f"/u/{NOWHERE}"):
        for reply in (await visitor.get(path), await visitor.post(path, data={"score": "9"})):
            assert (reply.status_code, "Test: nothing here counts." in reply.text) == (200, True)


async def test_a_sign_counts_as_much_as_it_shows(visitor: httpx.AsyncClient, asked: Asked) -> None:
    assert await signed(visitor, asked, "seen") == 204
    assert (await asked.invitation())["page_opened_at"] is not None
    assert await asked.response() is None
    assert await signed(visitor, asked, "dwell", 9) == 200
    assert (await asked.response() or {})["certainty"] == "probable"
    assert "What do you like most?" in (await visitor.get(asked.path, params={"score": 9})).text
    assert await signed(visitor, asked, "gesture", 9) == 200
    assert (await asked.response() or {})["certainty"] == "confirmed"
    for nonsense in ("send", "", "sent"):
        assert await signed(visitor, asked, nonsense, 3) == 204
    assert (await asked.response() or {})["score"] == 9
    assert await signed(visitor, asked, "change", 8) == 200
    assert (await asked.response() or {})["score"] == 8


async def test_where_answers_are_always_confirmed_only_send_counts(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    asked = await a_link(app, alice, campaign={"asking": {"email": {"confirmation": "always"}}})
    assert "data-auto" not in (await visitor.get(asked.path, params={"score": 9})).text
    for sign in ("dwell", "gesture", "change"):
        assert await signed(visitor, asked, sign, 9) == 204
    assert await asked.response() is None
    await sent(visitor, asked, score="9")
    assert await asked.counted() == 1


async def test_whoever_is_somebody_else_leaves_nothing_in_their_name(
    engine: Engine, visitor: httpx.AsyncClient, asked: Asked
) -> None:
    page = (await visitor.get(asked.path)).text
    assert "Asked: <bdi>j…@…</bdi>" in page
    assert "jane" not in page
    assert "That is not me" in (await visitor.get(asked.path, params={"not-me": ""})).text
    await signed(visitor, asked, "gesture", 0)
    await visitor.post(asked.path, data={"not_me": "yes"})
    assert await asked.counted() == 0
    assert (await asked.response() or {})["excluded_reason"] == "not_me"
    await sent(visitor, asked, score="10")  # she herself
    assert (await asked.response() or {})["score"] == 10
    assert await asked.counted() == 1
    assert await no_answer_is_counted_wrong(engine, asked.workspace_id)


async def test_not_me_without_an_answer_stores_nothing(visitor: httpx.AsyncClient, asked: Asked) -> None:
    reply = await visitor.post(asked.path, data={"not_me": "yes"})
    assert "Nothing is kept" in reply.text
    assert await asked.response() is None
    assert (await asked.invitation())["state"] == "sent"


@pytest.mark.parametrize("metric", METRICS)
async def test_every_metric_has_its_scale(app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, metric: str) -> None:
    asked = await a_link(app, alice, campaign={"metric": metric})
    scores = METRICS[metric].scores
    page = (await visitor.get(asked.path, params={"score": scores[-1]})).text
    assert [f'name="score" value="{score}"' in page for score in range(12)] == [score in scores for score in range(12)]
    await sent(visitor, asked, score=str(scores[-1]))
    assert (await asked.response() or {})["score"] == scores[-1]


@pytest.mark.parametrize(
    ("metric", "own", "score", "said"),
    [
        ("thumbs", {}, 0, "Your answer is No."), ("thumbs", {}, 1, "Your answer is Yes."),
        ("thumbs", {"highest_label": {"en": "Sure"}}, 1, "Your answer is Sure."),
        ("stars", {}, 4, "Your answer is 4 of 5 stars."), ("ces", {}, 4, "Your answer is 4."),
    ],
)  # fmt: skip
async def test_an_answer_is_told_in_the_words_that_were_pressed(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient, metric: str, own: dict[str, Any], score: int, said: str
) -> None:
    asked = await a_link(app, alice, campaign={"metric": metric}, survey=own)
    await visitor.post(asked.path, data={"score": str(score), "lang": "en"})
    assert said in (await visitor.get(asked.path)).text
    assert said in (await visitor.get(f"{asked.path}?change")).text


async def test_a_variant_asks_its_own_question_and_is_counted_under_it(
    app: FastAPI, alice: Tenant, visitor: httpx.AsyncClient
) -> None:
    asking = {"variants": [{"key": "b", "question": {"en": "Would you recommend us, {name|friend}?"}}]}
    asked = await a_link(app, alice, campaign={"asking": asking}, variant="b")
    assert "Would you recommend us, Jane?" in (await visitor.get(asked.path)).text
    await sent(visitor, asked, score="9")
    assert (await asked.response() or {})["segments"] == {"@variant": "b"}


async def test_one_link_cannot_be_asked_without_end(
    app: FastAPI, asked: Asked, visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.services, "link_rate_limit", RateLimit(1))
    replies = [await visitor.get(path) for path in (*[asked.path] * 9, *["/s/nothing"] * 9)]
    assert [reply.status_code for reply in (*replies[:2], *replies[9:11])] == [200, 200, 404, 404]
    for last in (replies[8], replies[17]):
        assert (last.status_code, last.headers["retry-after"]) == (429, "2")
        assert "Too many attempts" in last.text
