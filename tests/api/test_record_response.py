import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.api.response_models import RecordedResponse
from app.db.engine import Engine
from app.domain import ids
from tests.builders import a_campaign, a_recipient, an_answer, rows
from tests.conftest import Tenant


@pytest.fixture
async def campaign(engine: Engine, alice: Tenant) -> str:
    return await a_campaign(engine, alice.workspace_id)


async def test_an_answer_is_stored_counted_and_announced(engine: Engine, alice: Tenant, campaign: str) -> None:
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign, score=3, comment="Slow", channel="sms"))
    assert reply.status_code == 201, reply.text
    told = reply.json()
    assert (told["band"], told["outcome"], told["revision"]) == ("detractor", "created", 1)
    RecordedResponse.model_validate(told)
    assert set(told) == set(RecordedResponse.model_fields)
    [stored] = await rows(engine, "SELECT * FROM responses WHERE id = :id", id=ids.parsed("response", told["id"]))
    assert (stored["score"], stored["comment"], stored["channel"]) == (3, "Slow", "sms")
    [event] = await rows(engine, "SELECT * FROM events WHERE response_id = :id", id=stored["id"])
    assert (event["type"], event["band"], event["body"]["response"]["id"]) == (
        "response.created", "detractor", told["id"],
    )  # fmt: skip
    assert event["body"]["campaign"]["name"] == "After purchase"
    assert await rows(engine, "SELECT event_id FROM event_queue WHERE event_id = :id", id=event["id"])
    [rollup] = await counters(engine, campaign)
    assert (rollup["s3"], rollup["channel"], rollup["survey_version"]) == (1, "sms", 1)


async def test_a_known_recipient_is_credited_with_a_snapshot(engine: Engine, alice: Tenant, campaign: str) -> None:
    recipient = await a_recipient(engine, alice.workspace_id, email="ann@example.test", properties={"plan": "pro"})
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign, recipient_id=recipient))
    told = (await alice.api.get(f"/v1/responses/{reply.json()['id']}")).json()
    assert told["recipient_id"] == recipient
    assert told["recipient_properties"] == {"plan": "pro"}


async def test_a_person_sent_along_is_created_with_their_answer(engine: Engine, alice: Tenant, campaign: str) -> None:
    person = {"external_id": "u-1", "email": "Bea@Example.test", "properties": {"plan": "free"}}
    first = await alice.api.post("/v1/responses", json=an_answer(campaign, recipient=person))
    again = await alice.api.post("/v1/responses", json=an_answer(campaign, recipient={"external_id": "u-1"}))
    assert first.status_code == again.status_code == 201
    assert first.json()["recipient_id"] == again.json()["recipient_id"] is not None
    [stored] = await rows(engine, "SELECT * FROM recipients WHERE workspace_id = :w", w=alice.workspace_id)
    assert stored["email"] == "bea@example.test"


async def test_two_people_in_one_are_refused(engine: Engine, alice: Tenant, campaign: str) -> None:
    await a_recipient(engine, alice.workspace_id, external_id="a", email="a@example.test")
    await a_recipient(engine, alice.workspace_id, external_id="b", email="b@example.test")
    mixed = {"external_id": "a", "email": "b@example.test"}
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign, recipient=mixed))
    assert (reply.status_code, reply.json()["code"]) == (409, "identity_conflict")


async def test_the_same_occasion_is_one_answer(engine: Engine, alice: Tenant, campaign: str) -> None:
    recipient = await a_recipient(engine, alice.workspace_id)
    answer = an_answer(campaign, recipient_id=recipient, occasion="order-7")
    first, second = [await alice.api.post("/v1/responses", json=answer) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["outcome"] == "repeated"
    assert first.json()["id"] == second.json()["id"]
    assert [row["s9"] for row in await counters(engine, campaign)] == [1]


async def test_another_score_for_a_taken_slot_is_never_swallowed(engine: Engine, alice: Tenant, campaign: str) -> None:
    recipient = await a_recipient(engine, alice.workspace_id)
    answer = an_answer(campaign, recipient_id=recipient, occasion="order-7")
    first = await alice.api.post("/v1/responses", json=answer)
    refused = await alice.api.post("/v1/responses", json={**answer, "score": 2})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_answered")
    assert refused.json()["response_id"] == first.json()["id"]
    amended = await alice.api.post("/v1/responses", json={**answer, "score": 2, "if_answered": "amend"})
    assert (amended.status_code, amended.json()["outcome"], amended.json()["revision"]) == (200, "amended", 2)
    [counted] = await counters(engine, campaign)
    assert (counted["s9"], counted["s2"]) == (0, 1)
    types = await event_types(engine, first.json()["id"])
    assert types == ["response.created", "response.band_changed"]


async def test_a_campaign_may_take_one_answer_per_person(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id, one_answer_per_recipient=True)
    recipient = await a_recipient(engine, alice.workspace_id)
    answer = an_answer(campaign, recipient_id=recipient)
    statuses = [(await alice.api.post("/v1/responses", json=answer)).status_code for _ in range(2)]
    assert statuses == [201, 200]


async def test_a_repeated_key_returns_the_first_response(alice: Tenant, campaign: str) -> None:
    headers = {"idempotency-key": "order-7-attempt"}
    first, second = [await alice.api.post("/v1/responses", json=an_answer(campaign), headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = await alice.api.post("/v1/responses", json=an_answer(campaign, score=1), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_keys_of_two_tenants_do_not_meet(engine: Engine, alice: Tenant, charlie: Tenant, campaign: str) -> None:
    headers = {"idempotency-key": "same"}
    theirs = await a_campaign(engine, charlie.workspace_id)
    replies = [
        await alice.api.post("/v1/responses", json=an_answer(campaign), headers=headers),
        await charlie.api.post("/v1/responses", json=an_answer(theirs), headers=headers),
    ]
    assert [reply.status_code for reply in replies] == [201, 201]


async def test_an_import_id_is_recorded_once(engine: Engine, alice: Tenant, campaign: str) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=400)).isoformat()
    answer = an_answer(campaign, import_id="old-1", answered_at=long_ago)
    first, second = [await alice.api.post("/v1/responses", json=answer) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert await event_types(engine, first.json()["id"]) == ["response.imported"]


async def test_the_future_is_refused(alice: Tenant, campaign: str) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign, answered_at=tomorrow))
    assert (reply.status_code, reply.json()["code"]) == (422, "answered_in_the_future")


async def test_the_day_counted_on_is_the_workspaces(engine: Engine, alice: Tenant, campaign: str) -> None:
    await alice.api.post("/v1/responses", json=an_answer(campaign, answered_at="2026-01-31T23:30:00Z"))
    [counted] = await counters(engine, campaign)
    assert counted["counted_on"].isoformat() == "2026-02-01"  # 00:30 in Berlin


@pytest.mark.parametrize("score", [11, -1, 3.5, "9", True, None, 10**30, [9]])
async def test_what_is_no_score_is_told_so(engine: Engine, alice: Tenant, campaign: str, score: Any) -> None:
    reply = await alice.api.post("/v1/responses", json={"campaign_id": campaign, "score": score})
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["errors"][0]["pointer"] == "/score"
    assert await counters(engine, campaign) == []


async def test_a_score_must_fit_the_metric(engine: Engine, alice: Tenant) -> None:
    campaign = await a_campaign(engine, alice.workspace_id, metric="csat")
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign, score=9))
    assert (reply.status_code, reply.json()["code"]) == (422, "score_out_of_range")
    assert (reply.json()["lowest"], reply.json()["highest"]) == (1, 5)


@pytest.mark.parametrize("state", ["draft", "archived"])
async def test_a_campaign_that_takes_no_answers_says_so(engine: Engine, alice: Tenant, state: str) -> None:
    campaign = await a_campaign(engine, alice.workspace_id, state=state)
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign))
    assert (reply.status_code, reply.json()["code"]) == (409, "campaign_not_accepting")


async def test_a_strangers_campaign_and_recipient_do_not_exist(
    engine: Engine, alice: Tenant, charlie: Tenant, campaign: str
) -> None:
    theirs = await a_campaign(engine, charlie.workspace_id)
    person = await a_recipient(engine, charlie.workspace_id)
    assert (await alice.api.post("/v1/responses", json=an_answer(theirs))).status_code == 404
    reply = await alice.api.post("/v1/responses", json=an_answer(campaign, recipient_id=person))
    assert (reply.status_code, reply.json()["code"]) == (404, "recipient_not_found")


@pytest.mark.parametrize(
    "body",
    [
        b'{"campaign_id": "x"',
        b"\xff\xfe",
        b"[]",
        b'{"score": 9, "score": 9}',
        b'{"campaign_id": "' + b"[" * 5000 + b'"}',
        b"[" * 100_000,
        b'{"score": NaN}',
        b'{"score": 1e999}',
        b'{"score": ' + b"9" * 5000 + b"}",
        b"",
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem_document(alice: Tenant, body: bytes) -> None:
    reply = await alice.api.post("/v1/responses", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 422
    assert reply.json()["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("text", ["nul \\u0000", "half \\ud800"])
async def test_text_that_postgresql_cannot_hold_is_refused(alice: Tenant, campaign: str, text: str) -> None:
    body = f'{{"campaign_id": "{campaign}", "score": 9, "comment": "{text}"}}'
    reply = await alice.api.post("/v1/responses", content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["code"]) == (422, "unreadable_json")


async def test_other_media_types_are_415_and_large_bodies_413(alice: Tenant, campaign: str) -> None:
    plain = await alice.api.post("/v1/responses", content="{}", headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    large = await alice.api.post("/v1/responses", json=an_answer(campaign, comment="x" * 10_000_000))
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")


async def test_many_callers_share_commits_and_each_hears_of_their_own(
    engine: Engine, alice: Tenant, campaign: str
) -> None:
    answers = [an_answer(campaign, score=place % 11, comment=str(place)) for place in range(200)]
    replies = await asyncio.gather(*(alice.api.post("/v1/responses", json=answer) for answer in answers))
    assert [reply.json()["comment"] for reply in replies] == [answer["comment"] for answer in answers]
    [counted] = await counters(engine, campaign)
    assert sum(counted[f"s{score}"] for score in range(11)) == 200
    batches = await rows(
        engine, "SELECT DISTINCT changed_in::text FROM responses WHERE workspace_id = :w", w=alice.workspace_id
    )
    assert len(batches) < 100


async def test_a_bulk_tells_the_outcome_of_each_row(engine: Engine, alice: Tenant, campaign: str) -> None:
    recipient = await a_recipient(engine, alice.workspace_id)
    good = an_answer(campaign, recipient_id=recipient, occasion="order-1")
    bad = [an_answer(campaign, score=12), an_answer("camp_" + "0" * 32), {**good, "score": 1}, "nonsense"]
    reply = await alice.api.post("/v1/responses/bulk", json={"responses": [good, good, *bad]})
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert [result["status"] for result in told["results"]] == [201, 200, 422, 404, 409, 422]
    assert (told["created"], told["repeated"], told["rejected"]) == (1, 1, 4)
    assert told["results"][4]["problem"]["response_id"] == told["results"][0]["response"]["id"]
    assert [row["s9"] for row in await counters(engine, campaign)] == [1]


async def counters(engine: Engine, campaign: str) -> list[dict[str, Any]]:
    return await rows(
        engine,
        "SELECT * FROM score_rollups WHERE campaign_id = :id AND property_key = ''",
        id=ids.parsed("campaign", campaign),
    )


async def event_types(engine: Engine, response: str) -> list[str]:
    found = await rows(
        engine, "SELECT type FROM events WHERE response_id = :id ORDER BY id", id=ids.parsed("response", response)
    )
    return [row["type"] for row in found]


@pytest.mark.parametrize("same", ["import_id", "occasion"])
async def test_rows_of_a_bulk_about_the_same_thing_count_in_the_order_sent(
    engine: Engine, alice: Tenant, campaign: str, same: str
) -> None:
    recipient = await a_recipient(engine, alice.workspace_id)
    rows_of_each = [
        [
            an_answer(campaign, recipient_id=recipient, score=score, if_answered="amend", **{same: str(thing)})
            for score in (1, 2, 3)
        ]
        for thing in range(12)
    ]
    sent = [row for rows_of_one in zip(*rows_of_each, strict=True) for row in rows_of_one]
    results = (await alice.api.post("/v1/responses/bulk", json={"responses": sent})).json()["results"]
    assert [result["response"]["outcome"] for result in results] == ["created"] * 12 + ["amended"] * 24
    stored = await rows(
        engine, "SELECT score FROM responses WHERE campaign_id = :id", id=ids.parsed("campaign", campaign)
    )
    assert [row["score"] for row in stored] == [3] * 12


async def test_a_refused_answer_leaves_nobody_behind(engine: Engine, alice: Tenant, campaign: str) -> None:
    archived = await a_campaign(engine, alice.workspace_id, state="archived")
    csat = await a_campaign(engine, alice.workspace_id, metric="csat")
    unknown = campaign[:-4] + "0000"
    for place, refusing in enumerate((unknown, archived, csat)):
        person = {"external_id": f"{campaign}-{place}", "account": {"external_id": f"{campaign}-{place}"}}
        reply = await alice.api.post("/v1/responses", json=an_answer(refusing, recipient=person))
        assert reply.status_code in {404, 409, 422}, reply.text
    came = "SELECT 1 FROM {} WHERE external_id LIKE :these"
    for table in ("recipients", "accounts"):
        assert not await rows(engine, came.format(table), these=f"{campaign}-%")


async def test_a_retry_is_still_a_retry_when_the_campaign_takes_no_more(
    engine: Engine, alice: Tenant, campaign: str
) -> None:
    headers = {"idempotency-key": "before-the-end"}
    answer = an_answer(campaign, recipient={"external_id": "late"})
    first = await alice.api.post("/v1/responses", json=answer, headers=headers)
    async with engine.write() as tx:
        await tx.execute(
            text("UPDATE campaigns SET state = 'archived' WHERE id = :id"), {"id": ids.parsed("campaign", campaign)}
        )
    again = await alice.api.post("/v1/responses", json=answer, headers=headers)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    fresh = await alice.api.post("/v1/responses", json=an_answer(campaign, recipient={"external_id": "new"}))
    assert (fresh.status_code, fresh.json()["code"]) == (409, "campaign_not_accepting")
