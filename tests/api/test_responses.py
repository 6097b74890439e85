import asyncio
from typing import Any

import httpx
import pytest

from app.db.engine import SESSION_SETTINGS, Engine
from app.domain import ids
from app.queries.pages import LONGEST_TRANSACTION
from tests.builders import a_campaign, a_recipient, an_answer, rows
from tests.conftest import Tenant


@pytest.fixture
async def campaign(engine: Engine, alice: Tenant) -> str:
    return await a_campaign(engine, alice.workspace_id)


async def recorded(tenant: Tenant, campaign: str, **fields: Any) -> str:
    reply = await tenant.api.post("/v1/responses", json=an_answer(campaign, **fields))
    assert reply.status_code == 201, reply.text
    return str(reply.json()["id"])


async def test_a_stranger_sees_and_changes_nothing(alice: Tenant, charlie: Tenant, campaign: str) -> None:
    response = f"/v1/responses/{await recorded(alice, campaign)}"
    attempts = [
        await charlie.api.get(response),
        await charlie.api.get(f"{response}/revisions"),
        await charlie.api.patch(response, json={"score": 1}),
        await charlie.api.post(f"{response}/exclude", json={"reason": "mine now"}),
        await charlie.api.post(f"{response}/restore", json={}),
        await charlie.api.delete(response),
    ]
    assert [(reply.status_code, reply.json()["code"]) for reply in attempts] == [(404, "response_not_found")] * 6
    assert (await charlie.api.get("/v1/responses")).json()["data"] == []


async def test_an_amendment_keeps_what_was_before_and_moves_the_counters(
    engine: Engine, alice: Tenant, campaign: str
) -> None:
    response = await recorded(alice, campaign, score=9, comment="Great")
    reply = await alice.api.patch(f"/v1/responses/{response}", json={"score": 4, "reason": "Customer called"})
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert (told["score"], told["band"], told["comment"], told["revision"]) == (4, "detractor", "Great", 2)
    [before] = (await alice.api.get(f"/v1/responses/{response}/revisions")).json()["data"]
    assert (before["score"], before["reason"], before["revision"]) == (9, "Customer called", 1)
    assert before["actor"].startswith("key_")
    assert await counted(engine, alice) == {4: 1}
    [created, changed] = await announced(engine, response)
    assert (changed["type"], changed["previous_band"], changed["band"]) == (
        "response.band_changed", "promoter", "detractor",
    )  # fmt: skip
    assert changed["body"]["previous"] == {"score": 9, "band": "promoter"}
    assert created["body"]["response"].keys() == changed["body"]["response"].keys()
    assert changed["body"]["recipient"] is created["body"]["recipient"] is None


async def test_a_comment_that_follows_is_an_update(engine: Engine, alice: Tenant, campaign: str) -> None:
    recipient = await a_recipient(engine, alice.workspace_id, name="Ann")
    response = await recorded(alice, campaign, recipient_id=recipient)
    await alice.api.patch(f"/v1/responses/{response}", json={"comment": "And quick"})
    [created, updated] = await announced(engine, response)
    assert updated["type"] == "response.updated"
    assert updated["body"]["response"]["comment"] == "And quick"
    assert updated["body"]["recipient"] == created["body"]["recipient"]
    assert updated["body"]["campaign"] == created["body"]["campaign"]


async def test_changing_nothing_announces_nothing(engine: Engine, alice: Tenant, campaign: str) -> None:
    response = await recorded(alice, campaign, comment="Great")
    reply = await alice.api.patch(f"/v1/responses/{response}", json={"comment": "Great"})
    assert reply.json()["revision"] == 1
    assert len(await announced(engine, response)) == 1


async def test_null_clears_a_comment_but_not_a_score(alice: Tenant, campaign: str) -> None:
    response = f"/v1/responses/{await recorded(alice, campaign, comment='Private')}"
    assert (await alice.api.patch(response, json={"comment": None})).json()["comment"] is None
    assert (await alice.api.patch(response, json={"score": None})).status_code == 422


async def test_an_excluded_response_is_readable_and_not_counted_until_restored(
    engine: Engine, alice: Tenant, campaign: str
) -> None:
    response = f"/v1/responses/{await recorded(alice, campaign, score=10)}"
    excluded = await alice.api.post(f"{response}/exclude", json={"reason": "A colleague testing"})
    assert excluded.json()["excluded"]["reason"] == "A colleague testing"
    assert await counted(engine, alice) == {}
    twice = await alice.api.post(f"{response}/exclude", json={"reason": "again"})
    assert (twice.status_code, twice.json()["code"]) == (409, "exclusion_refused")
    await alice.api.patch(response, json={"score": 2})
    assert await counted(engine, alice) == {}
    restored = await alice.api.post(f"{response}/restore", json={})
    assert restored.json()["excluded"] is None
    assert await counted(engine, alice) == {2: 1}
    types = [event["type"] for event in await announced(engine, restored.json()["id"])]
    assert types == ["response.created", "response.excluded", "response.band_changed", "response.restored"]


async def test_a_deleted_response_is_gone_and_its_slot_free(engine: Engine, alice: Tenant, campaign: str) -> None:
    recipient = await a_recipient(engine, alice.workspace_id)
    response = await recorded(alice, campaign, recipient_id=recipient, occasion="o-1", comment="Secret")
    assert (await alice.api.delete(f"/v1/responses/{response}")).status_code == 204
    assert (await alice.api.get(f"/v1/responses/{response}")).status_code == 404
    assert await counted(engine, alice) == {}
    *_, deleted = await announced(engine, response)
    assert deleted["type"] == "response.deleted"
    assert "Secret" not in str(deleted["body"])
    assert await recorded(alice, campaign, recipient_id=recipient, occasion="o-1") != response


async def test_what_was_told_of_a_deleted_response_is_taken_back(engine: Engine, alice: Tenant, campaign: str) -> None:
    response = await recorded(alice, campaign, comment="My secret")
    await alice.api.patch(f"/v1/responses/{response}", json={"comment": "My other secret"})
    await alice.api.delete(f"/v1/responses/{response}")
    told = await announced(engine, response)
    assert [event["type"] for event in told] == ["response.created", "response.updated", "response.deleted"]
    assert [event["body"].get("redacted") for event in told] == [True, True, None]
    assert "secret" not in str(told)


async def test_a_list_is_filtered_and_paged_newest_first(engine: Engine, alice: Tenant, campaign: str) -> None:
    other = await a_campaign(engine, alice.workspace_id, metric="csat")
    scores = [await recorded(alice, campaign, score=score, channel="sms") for score in (0, 6, 7, 9, 10)]
    satisfied = await recorded(alice, other, score=5, comment="Fine")
    assert await listed(alice) == [satisfied, *reversed(scores)]
    assert await listed(alice, limit=2) == [satisfied, *reversed(scores)]
    assert await listed(alice, band="promoter") == [satisfied, scores[4], scores[3]]
    assert await listed(alice, band="detractor") == [scores[1], scores[0]]
    assert await listed(alice, campaign_id=other) == [satisfied]
    assert await listed(alice, has_comment=True) == [satisfied]
    assert await listed(alice, lowest_score=6, highest_score=9, channel="sms") == [scores[3], scores[2], scores[1]]


async def test_a_page_says_where_the_next_one_is(alice: Tenant, campaign: str) -> None:
    await recorded(alice, campaign)
    await recorded(alice, campaign)
    first = await alice.api.get("/v1/responses", params={"limit": 1})
    assert 'rel="next"' in first.headers["link"]
    assert (await alice.api.get(first.links["next"]["url"])).json()["data"] != first.json()["data"]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=nonsense", "band=fan", "campaign_id=1"])
async def test_a_query_that_makes_no_sense_is_told_so(alice: Tenant, query: str) -> None:
    reply = await alice.api.get(f"/v1/responses?{query}")
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"


async def test_in_order_of_change_a_late_commit_is_not_skipped(engine: Engine, alice: Tenant, campaign: str) -> None:
    """A transaction that began first and commits last must still be seen by who has read on meanwhile."""
    early, later, _ = [await recorded(alice, campaign) for _ in range(3)]
    touch = "UPDATE responses SET updated_at = now(), changed_in = pg_current_xact_id() WHERE id = $1"
    slow = await engine.connect()
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(touch, ids.parsed("response", early))
    await alice.api.patch(f"/v1/responses/{later}", json={"score": 1})
    seen, cursor = await changes(alice, updated_after="2026-01-01T00:00:00Z")
    assert later not in seen  # it waits for the one before it
    await transaction.commit()
    await slow.close()
    more, _ = (
        await changes(alice, cursor=cursor) if cursor else await changes(alice, updated_after="2026-01-01T00:00:00Z")
    )
    assert {early, later} <= set(more)


def test_the_look_back_covers_every_timeout() -> None:
    limits = [SESSION_SETTINGS[name] for name in ("statement_timeout", "idle_in_transaction_session_timeout")]
    longest = sum(int(limit.removesuffix("s")) for limit in limits)
    assert LONGEST_TRANSACTION.total_seconds() >= longest


async def test_two_that_amend_at_once_both_count(engine: Engine, alice: Tenant, campaign: str) -> None:
    response = await recorded(alice, campaign, score=9)
    scores = range(8)
    await asyncio.gather(*(alice.api.patch(f"/v1/responses/{response}", json={"score": score}) for score in scores))
    told = (await alice.api.get(f"/v1/responses/{response}")).json()
    assert told["revision"] == 1 + len(scores)
    assert await counted(engine, alice) == {told["score"]: 1}
    assert len((await alice.api.get(f"/v1/responses/{response}/revisions")).json()["data"]) == len(scores)


async def listed(tenant: Tenant, **filters: Any) -> list[str]:
    found: list[str] = []
    reply = await tenant.api.get("/v1/responses", params=filters)
    for _ in range(20):
        found += _ids(reply)
        if (cursor := reply.json()["next_cursor"]) is None:
            return found
        reply = await tenant.api.get("/v1/responses", params={**filters, "cursor": cursor})
    raise AssertionError("the pages never end")


async def changes(tenant: Tenant, **query: Any) -> tuple[list[str], str | None]:
    reply = await tenant.api.get("/v1/responses", params=query)
    return _ids(reply), reply.json()["next_cursor"]


def _ids(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [response["id"] for response in reply.json()["data"]]


async def counted(engine: Engine, tenant: Tenant) -> dict[int, int]:
    found = await rows(
        engine, "SELECT * FROM score_rollups WHERE workspace_id = :w AND property_key = ''", w=tenant.workspace_id
    )
    totals = {score: sum(row[f"s{score}"] for row in found) for score in range(11)}
    return {score: count for score, count in totals.items() if count}


async def announced(engine: Engine, response: str) -> list[dict[str, Any]]:
    return await rows(
        engine, "SELECT * FROM events WHERE response_id = :id ORDER BY id", id=ids.parsed("response", response)
    )


async def test_a_misspelt_filter_is_refused_rather_than_ignored(alice: Tenant) -> None:
    reply = await alice.api.get("/v1/responses?campain_id=camp_1")
    assert reply.status_code == 422
    assert reply.json()["errors"] == [
        {"in": "query", "pointer": "/campain_id", "detail": "there is no such parameter here"}
    ]
