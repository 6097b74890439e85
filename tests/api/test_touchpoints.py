"""Touchpoints, and the invitations that come of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.askings import an_asking
from tests.campaigns import create, move
from tests.conftest import Tenant

DELIVERED = {"kind": "touchpoint", "name": "delivered", "delay_minutes": 60, "cancelled_by": ["returned"]}


async def running(alice: Tenant, **asking: Any) -> dict[str, Any]:
    asking = {"trigger": DELIVERED, **asking}
    return await move(alice, await create(alice, asking=an_asking(**asking)), "launch")


async def record(tenant: Tenant, name: str = "delivered", **fields: Any) -> dict[str, Any]:
    body = {"name": name, "recipient": {"email": "ada@example.com"}, **fields}
    reply = await tenant.api.post("/v1/touchpoints", json=body)
    assert reply.status_code in {200, 201}, reply.text
    return dict(reply.json())


async def invitations(tenant: Tenant, campaign: dict[str, Any], **wanted: str) -> list[dict[str, Any]]:
    reply = await tenant.api.get(f"/v1/campaigns/{campaign['id']}/invitations", params=wanted)
    assert reply.status_code == 200, reply.text
    return list(reply.json()["data"])


async def test_a_touchpoint_is_recorded_once(alice: Tenant) -> None:
    first = await alice.api.post(
        "/v1/touchpoints", json={"name": "a", "external_id": "1", "recipient": {"email": "ada@example.com"}}
    )
    again = await alice.api.post(
        "/v1/touchpoints", json={"name": "a", "external_id": "1", "recipient": {"email": "ada@example.com"}}
    )

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


async def test_a_campaign_asks_an_hour_after_it(alice: Tenant) -> None:
    campaign = await running(alice)

    touchpoint = await record(alice, properties={"order": "A-1"})

    (planned,) = await invitations(alice, campaign)
    assert planned["state"] == "planned"
    assert planned["touchpoint_id"] == touchpoint["id"]
    due = datetime.fromisoformat(planned["due_at"]) - datetime.fromisoformat(touchpoint["occurred_at"])
    assert due == timedelta(hours=1)


async def test_the_same_touchpoint_again_plans_nothing(alice: Tenant) -> None:
    campaign = await running(alice)

    await record(alice, external_id="A-1")
    await record(alice, external_id="A-1")

    assert len(await invitations(alice, campaign)) == 1


async def test_other_touchpoints_plan_nothing(alice: Tenant) -> None:
    campaign = await running(alice)

    await record(alice, "something_else")

    assert await invitations(alice, campaign) == []


async def test_a_later_touchpoint_calls_off_the_one_of_the_same_external_id(alice: Tenant) -> None:
    campaign = await running(alice)
    await record(alice, external_id="A-1")
    kept = await record(alice, external_id="A-2")

    await record(alice, "returned", external_id="A-1")

    (skipped,) = await invitations(alice, campaign, state="skipped")
    assert skipped["skip_reason"] == "cancelled"
    (planned,) = await invitations(alice, campaign, state="planned")
    assert planned["touchpoint_id"] == kept["id"]


@pytest.mark.parametrize(
    ("returned_after", "returned", "state"),
    [
        (timedelta(minutes=5), "A-1", "skipped"),
        (timedelta(0), "A-1", "skipped"),
        (timedelta(minutes=5), None, "skipped"),
        (timedelta(minutes=-5), "A-1", "planned"),  # it was sent once more, and arrived
        (timedelta(minutes=5), "A-2", "planned"),
    ],
)
@pytest.mark.parametrize("at_once", [False, True])
async def test_what_calls_off_does_so_even_where_it_is_heard_of_first(
    alice: Tenant, returned_after: timedelta, returned: str | None, state: str, *, at_once: bool
) -> None:
    campaign = await running(alice)
    delivered_at = datetime.now(UTC) - timedelta(minutes=10)
    ada = {"recipient": {"email": "ada@example.com"}}
    said = [
        {
            "name": "returned",
            "external_id": returned,
            "occurred_at": (delivered_at + returned_after).isoformat(),
            **ada,
        },
        {"name": "delivered", "external_id": "A-1", "occurred_at": delivered_at.isoformat(), **ada},
    ]

    for rows in [said] if at_once else [[row] for row in said]:
        reply = await alice.api.post("/v1/touchpoints/bulk", json={"touchpoints": rows})
        assert reply.json()["created"] == len(rows), reply.text

    (invitation,) = await invitations(alice, campaign)
    assert invitation["state"] == state
    assert invitation["skip_reason"] == ("cancelled" if state == "skipped" else None)


async def test_somebody_elses_return_calls_nothing_off(alice: Tenant) -> None:
    campaign = await running(alice)

    await record(alice, "returned", recipient={"email": "bob@example.com"})
    await record(alice)

    (invitation,) = await invitations(alice, campaign)
    assert invitation["state"] == "planned"


async def test_what_is_too_long_ago_is_skipped_with_a_reason(alice: Tenant) -> None:
    campaign = await running(alice)

    await record(alice, occurred_at=(datetime.now(UTC) - timedelta(days=30)).isoformat())

    (skipped,) = await invitations(alice, campaign)
    assert skipped["skip_reason"] == "too_late"


async def test_whom_the_audience_does_not_fit_is_not_asked(alice: Tenant) -> None:
    campaign = await running(alice, audience={"field": "properties.plan", "eq": "pro"})

    await record(alice, recipient={"email": "ada@example.com", "properties": {"plan": "free"}})
    await record(alice, recipient={"email": "bob@example.com", "properties": {"plan": "pro"}})

    assert len(await invitations(alice, campaign)) == 1


async def test_each_row_of_many_has_an_end_of_its_own(alice: Tenant) -> None:
    rows = [
        {"name": "a", "external_id": "1", "recipient": {"email": "ada@example.com"}},
        {"name": "a", "external_id": "1", "recipient": {"email": "ada@example.com"}},
        {"name": "a", "recipient": {"email": "nonsense"}},
        {"name": "a", "recipient_id": "rcpt_" + 32 * "0"},
        {"name": "a"},
    ]

    reply = (await alice.api.post("/v1/touchpoints/bulk", json={"touchpoints": rows})).json()

    assert [row["status"] for row in reply["results"]] == [201, 200, 422, 404, 422]
    assert (reply["created"], reply["repeated"], reply["rejected"]) == (1, 1, 3)


async def test_touchpoints_and_invitations_are_listed_in_order_of_change(alice: Tenant) -> None:
    campaign = await running(alice)
    made = [await record(alice, recipient={"email": f"{number}@example.com"}) for number in range(2)]
    since = {"updated_after": made[0]["occurred_at"]}
    for path in ("touchpoints", f"campaigns/{campaign['id']}/invitations"):
        page = (await alice.api.get(f"/v1/{path}", params=since)).json()
        assert len(page["data"]) == 2
        rest = (await alice.api.get(f"/v1/{path}", params={"cursor": page["next_cursor"]})).json()
        assert rest["data"] == []


async def test_touchpoints_are_listed_by_recipient(alice: Tenant) -> None:
    ada = await record(alice)
    await record(alice, recipient={"email": "bob@example.com"})

    reply = await alice.api.get("/v1/touchpoints", params={"recipient_id": ada["recipient_id"]})

    assert [one["id"] for one in reply.json()["data"]] == [ada["id"]]
    assert (await alice.api.get(f"/v1/touchpoints/{ada['id']}")).json() == ada


async def test_a_stranger_finds_nothing(alice: Tenant, charlie: Tenant) -> None:
    campaign = await running(alice)
    ada = await record(alice)
    (planned,) = await invitations(alice, campaign)

    for path in (f"touchpoints/{ada['id']}", f"invitations/{planned['id']}", f"campaigns/{campaign['id']}/waves"):
        assert (await charlie.api.get(f"/v1/{path}")).status_code == 404


async def test_what_happens_at_the_end_of_time_is_refused(alice: Tenant) -> None:
    said = {"name": "delivered", "recipient": {"email": "ada@example.com"}}
    refused = await alice.api.post("/v1/touchpoints", json={**said, "occurred_at": "2199-12-31T23:59:59Z"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/occurred_at"

    slow = {"name": "delivered", "delay_minutes": 527_040, "max_lateness_hours": 8_784}
    campaign = await running(alice, trigger={"kind": "touchpoint", **slow})
    await record(alice, occurred_at="2196-12-31T23:59:59Z")
    assert len(await invitations(alice, campaign)) == 1


@pytest.mark.parametrize("amount", [-0.0, 0.0, 1.0, 1e-7])
async def test_the_same_number_is_no_conflict_when_it_comes_again(alice: Tenant, amount: float) -> None:
    """PostgreSQL keeps no sign of a zero."""
    said = {"external_id": "o-1", "properties": {"amount": amount}}
    assert (await record(alice, **said))["id"] == (await record(alice, **said))["id"]


@pytest.mark.parametrize(
    "changed",
    [
        {"properties": {"order": 1.0}},
        {"properties": {"order": True}},
        {"properties": {"order": 2}},
        {"occurred_at": "2026-11-01T10:00:00Z"},
        {"recipient": {"email": "bob@example.com"}},
    ],
)
async def test_the_same_name_for_something_else_is_not_swallowed(alice: Tenant, changed: dict[str, Any]) -> None:
    first = {"external_id": "o-1", "properties": {"order": 1}, "occurred_at": "2026-11-02T10:00:00Z"}
    recorded = await record(alice, **first)
    untimed = {name: value for name, value in first.items() if name != "occurred_at"}
    assert (await record(alice, **untimed))["id"] == recorded["id"]

    body = {"name": "delivered", "recipient": {"email": "ada@example.com"}, **first, **changed}
    refused = await alice.api.post("/v1/touchpoints", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "touchpoint_conflict")
    in_bulk = (await alice.api.post("/v1/touchpoints/bulk", json={"touchpoints": [body]})).json()
    assert in_bulk["results"][0]["status"] == 409
