"""Reward codes: uploaded, given once, the same again to the same person, and to nobody else."""

import asyncio
from typing import Any

import pytest

from app.db.engine import Engine
from tests.builders import a_campaign, a_recipient, an_answer
from tests.conftest import Tenant


async def upload(tenant: Tenant, campaign: str, *codes: Any) -> Any:
    return await tenant.api.post(f"/v1/campaigns/{campaign}/codes", json={"codes": list(codes)})


async def upload_file(tenant: Tenant, campaign: str, content: bytes, media_type: str) -> Any:
    place = f"/v1/campaigns/{campaign}/codes/upload"
    return await tenant.api.post(place, content=content, headers={"content-type": media_type})


async def pool(tenant: Tenant, campaign: str) -> Any:
    return (await tenant.api.get(f"/v1/campaigns/{campaign}/codes")).json()


async def answer(tenant: Tenant, campaign: str, **fields: Any) -> str:
    return str((await tenant.api.post("/v1/responses", json=an_answer(campaign, **fields))).json()["id"])


async def give(tenant: Tenant, response: str) -> Any:
    return await tenant.api.post(f"/v1/responses/{response}/code")


async def test_codes_are_counted_and_added_once(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    assert (await upload(alice, campaign, "A", " B ", "A")).json() == {
        "added": 2, "already": 0, "pool": {"total": 2, "given": 0, "left": 2},
    }  # fmt: skip
    assert (await upload(alice, campaign, "B", "C")).json()["added"] == 1
    assert await pool(alice, campaign) == {"total": 3, "given": 0, "left": 3}


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"code\r\nA\r\nB,for Bob\r\n\r\n", "text/csv"),
        (b"\xef\xbb\xbfA\nB", "text/csv; charset=utf-8"),
        (b'{"code":"A"}\n\n"B"\n', "application/x-ndjson"),
    ],
)
async def test_codes_come_in_files_too(alice: Tenant, engine: Engine, content: bytes, media_type: str) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    assert (await upload_file(alice, campaign, content, media_type)).json()["added"] == 2
    given = {(await give(alice, await answer(alice, campaign))).json()["code"] for _ in range(2)}
    assert given == {"A", "B"}


@pytest.mark.parametrize("codes", [[], [""], ["  "], ["two\nlines"], ["x" * 101], [1], ["A", None]])
async def test_what_is_no_code_is_refused(alice: Tenant, engine: Engine, codes: list[Any]) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    assert (await upload(alice, campaign, *codes)).status_code == 422
    assert (await pool(alice, campaign))["total"] == 0


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"\xff\xfe", "text/csv", "reward_codes_invalid"),
        (b"code\n", "text/csv", "reward_codes_invalid"),
        (b'"' + b"x" * 200_000 + b'"\n', "text/csv", "reward_codes_invalid"),
        (b'A\n"B\nC\n', "text/csv", "reward_codes_invalid"),
        (b"{}\n", "application/x-ndjson", "reward_codes_invalid"),
        (b"not json\n", "application/x-ndjson", "reward_codes_invalid"),
        (b"", "text/csv", "body_missing"),
        (b"A", "text/plain", "unsupported_media_type"),
    ],
)
async def test_a_file_without_codes_is_refused(
    alice: Tenant, engine: Engine, content: bytes, media_type: str, code: str
) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    assert (await upload_file(alice, campaign, content, media_type)).json()["code"] == code


async def test_the_same_person_gets_the_same_code_whatever_they_answer(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    person = await a_recipient(engine, alice.workspace_id)
    await upload(alice, campaign, "A", "B", "C")
    first = await answer(alice, campaign, recipient_id=person, occasion="1", score=10)
    second = await answer(alice, campaign, recipient_id=person, occasion="2", score=0)
    codes = [(await give(alice, response)).json()["code"] for response in (first, second, first)]
    assert len(set(codes)) == 1
    unhappy, happy = await answer(alice, campaign, score=0), await answer(alice, campaign, score=10)
    assert {(await give(alice, unhappy)).json()["code"], (await give(alice, happy)).json()["code"], *codes} == set(
        "ABC"
    )
    assert await pool(alice, campaign) == {"total": 3, "given": 3, "left": 0}
    exhausted = await give(alice, await answer(alice, campaign))
    assert (exhausted.status_code, exhausted.json()["code"]) == (409, "reward_codes_exhausted")


async def test_a_code_is_given_to_one_of_many_who_come_at_once(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await upload(alice, campaign, *(f"C{number}" for number in range(20)))
    responses = [await answer(alice, campaign) for _ in range(12)]
    replies = await asyncio.gather(*(give(alice, response) for response in responses))
    assert [reply.status_code for reply in replies] == [200] * 12
    assert len({reply.json()["code"] for reply in replies}) == 12


async def test_one_person_in_many_windows_takes_one_code(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await upload(alice, campaign, *(f"C{number}" for number in range(20)))
    response = await answer(alice, campaign)
    replies = await asyncio.gather(*(give(alice, response) for _ in range(8)))
    assert len({reply.json()["code"] for reply in replies}) == 1
    assert (await pool(alice, campaign))["given"] == 1


async def test_what_nobody_has_can_be_dropped(alice: Tenant, engine: Engine) -> None:
    campaign = await a_campaign(engine, alice.workspace_id)
    await upload(alice, campaign, "A", "B")
    response = await answer(alice, campaign)
    code = (await give(alice, response)).json()["code"]
    assert (await alice.api.delete(f"/v1/campaigns/{campaign}/codes")).status_code == 204
    assert await pool(alice, campaign) == {"total": 1, "given": 1, "left": 0}
    assert (await give(alice, response)).json()["code"] == code


async def test_codes_of_one_campaign_are_not_given_in_another(alice: Tenant, engine: Engine) -> None:
    campaign, other = [await a_campaign(engine, alice.workspace_id) for _ in range(2)]
    await upload(alice, campaign, "A")
    assert (await give(alice, await answer(alice, other))).status_code == 409


async def test_codes_are_given_in_no_order(alice: Tenant, engine: Engine) -> None:
    """The sixth in the shop's file would else be that of the sixth answer."""
    campaign = await a_campaign(engine, alice.workspace_id)
    codes = [f"C{number:02}" for number in range(12)]
    await upload(alice, campaign, *codes)
    given = [(await give(alice, await answer(alice, campaign))).json()["code"] for _ in codes]
    assert sorted(given) == codes
    assert given != codes
