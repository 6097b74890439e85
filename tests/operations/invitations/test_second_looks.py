"""An edit that loosens a rule asks after all whom the rule had skipped, as long as it is not too late."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.domain import ids
from app.domain.asking import rhythm
from app.operations.invitations import second_looks
from app.queries.asking_campaigns import read_asking_campaigns
from app.queries.second_looks import read_skipped
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import move, patch
from tests.operations.invitations.office import DAY, HOUR, Office
from tests.people import a_follow_up

DELIVERED = {"kind": "touchpoint", "name": "delivered", "cancelled_by": ["returned"], "max_lateness_hours": 48}
MONTHLY = {"kind": "every", "count": 1, "unit": "months"}


async def happened(office: Office, name: str, email: str = "ada@example.com") -> None:
    reply = await office.tenant.api.post("/v1/touchpoints", json={"name": name, "recipient": {"email": email}})
    assert reply.status_code == 201, reply.text


async def asked_elsewhere(office: Office, *names: str) -> None:
    """By a campaign that does not mind when others asked."""
    await office.people(*names)
    await office.launched(quarantine_days=0)
    assert sorted(await office.send(within=HOUR)) == sorted(names)


async def plans_of_edit(office: Office, campaign: Mapping[str, Any], **asking: Any) -> tuple[int, int]:
    """How many were to be asked before, and are after it."""
    reply = await patch(office.tenant, dict(campaign), asking=an_asking(**asking))
    assert reply.status_code == 200, reply.text
    plan = reply.json()["plan"]
    return plan["before"]["due"], plan["after"]["due"]


async def skip_reasons(office: Office, campaign: Mapping[str, Any]) -> dict[str, int]:
    return await office.states(dict(campaign))


@pytest.mark.parametrize("trigger", [{"kind": "once"}, {**MONTHLY, "spread": "evenly"}])
async def test_a_shorter_quarantine_asks_those_of_an_open_wave_after_all(
    office: Office, trigger: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm, "fraction_of", lambda *_: 0.5)  # nobody's moment is in the last hours of the month
    await asked_elsewhere(office, "ada", "bob")
    campaign = await office.launched(trigger=trigger)
    await office.plan()
    await office.engine_says("UPDATE invitations SET due_at = now() WHERE state = 'planned'")
    await office.engine_says("UPDATE sending_work SET due_at = now()")
    assert await office.claim() == []
    assert await office.states(campaign) == {"quarantine": 2}

    assert await plans_of_edit(office, campaign, trigger=trigger, quarantine_days=0) == (0, 2)

    assert sorted(await office.send(within=29 * DAY)) == ["ada", "bob"]
    assert await office.states(campaign) == {"sent": 2}


LOOSENED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "quarantine": ({}, {"quarantine_days": 0}),
    "journey_full": (
        {"journey": {"name": "order", "most_per_person": 1, "least_gap_hours": 0}},
        {"journey": {"name": "order", "most_per_person": 2, "least_gap_hours": 0}},
    ),
    "journey_gap": (
        {"journey": {"name": "order", "most_per_person": 9, "least_gap_hours": 200}},
        {"journey": {"name": "order", "most_per_person": 9, "least_gap_hours": 1}},
    ),
}


@pytest.mark.parametrize("reason", LOOSENED)
async def test_what_kept_a_touchpoint_from_being_asked_about_may_be_loosened(office: Office, reason: str) -> None:
    strict, loose = LOOSENED[reason]
    campaign = await office.launched(trigger=DELIVERED, **strict)
    await office.people("ada")
    await happened(office, "delivered")
    assert await office.send(within=HOUR) == ["ada"]
    await happened(office, "delivered")
    assert await office.send(within=2 * HOUR) == []
    assert await skip_reasons(office, campaign) == {"sent": 1, reason: 1}

    assert await plans_of_edit(office, campaign, trigger=DELIVERED, **loose) == (0, 1)

    assert await office.send() == ["ada"]
    assert await skip_reasons(office, campaign) == {"sent": 2}


@pytest.mark.parametrize(
    ("reason", "strict"),
    [
        ("renewal_near", {"hold_renewal_within_days": 30}),
        ("follow_up_open", {"hold_open_follow_up": True}),
        ("not_in_audience", {"audience": {"field": "properties.plan", "eq": "pro"}}),
        ("window", {}),
    ],
)
async def test_what_is_held_no_longer_leaves(office: Office, reason: str, strict: dict[str, Any]) -> None:
    silence = {"from": (office.now - DAY).isoformat(), "until": (office.now + 3 * DAY).isoformat()}
    strict = {"blackouts": [silence]} if reason == "window" else strict
    renews_on = (office.now + 10 * DAY).date().isoformat()
    (ada,) = await office.people("ada", account={"external_id": "acme"}, properties={"plan": "pro"})
    await office.engine_says(f"UPDATE accounts SET renews_on = '{renews_on}'")
    campaign = await office.launched(trigger={**DELIVERED, "max_lateness_hours": 24}, **strict)
    if reason == "follow_up_open":
        elsewhere = await office.launched(audience={"field": "locale", "eq": "eo"})
        answer = await office.answer(elsewhere, ada, 2)
        await a_follow_up(office.engine, office.tenant.workspace_id, answer, "assigned")
    await happened(office, "delivered")
    if reason == "not_in_audience":
        await office.people("ada", properties={"plan": "free"})
    assert await office.send(within=2 * HOUR) == []
    assert await skip_reasons(office, campaign) == {reason: 1}

    assert await plans_of_edit(office, campaign, trigger={**DELIVERED, "max_lateness_hours": 24}) == (0, 1)

    assert await office.send(within=2 * HOUR) == ["ada"]


async def test_a_longer_patience_asks_whoever_was_too_late(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger={**DELIVERED, "max_lateness_hours": 1})
    await move(office.tenant, campaign, "pause")
    await happened(office, "delivered")
    office.now += 3 * HOUR
    await move(office.tenant, campaign, "resume")
    assert await office.send(within=HOUR) == []
    assert await skip_reasons(office, campaign) == {"too_late": 1}

    reply = await patch(office.tenant, campaign, asking=an_asking(trigger=DELIVERED))
    assert reply.status_code == 200

    assert await office.send(within=HOUR) == ["ada"]


async def test_a_date_of_which_it_is_not_too_late_is_asked_about(office: Office) -> None:
    await asked_elsewhere(office, "ada")
    trigger = {"kind": "date_property", "property": "exam_on", "at": "00:00"}
    await office.people("ada", properties={"exam_on": office.now.date().isoformat()})
    campaign = await office.launched(trigger=trigger)
    assert await office.send(within=2 * HOUR) == []
    assert await skip_reasons(office, campaign) == {"quarantine": 1}

    assert await plans_of_edit(office, campaign, trigger=trigger, quarantine_days=0) == (0, 1)

    assert await office.send(within=2 * HOUR) == ["ada"]


async def test_who_would_be_skipped_again_stays_as_they_are(office: Office) -> None:
    await asked_elsewhere(office, "ada")
    campaign = await office.launched()
    await office.send(within=2 * HOUR)
    before = await rows(office.engine, "SELECT * FROM invitations ORDER BY id")

    assert await plans_of_edit(office, campaign, quarantine_days=60) == (0, 0)
    assert await office.send(within=2 * HOUR) == []

    assert await rows(office.engine, "SELECT * FROM invitations ORDER BY id") == before
    (row,) = await rows(office.engine, "SELECT DISTINCT second_look_behind FROM campaigns")
    assert row["second_look_behind"] is None


async def test_when_the_wave_is_over_or_the_touchpoint_too_old_nobody_is_asked(office: Office) -> None:
    await asked_elsewhere(office, "ada")
    wave = await office.launched(trigger=MONTHLY, wave_days=3)
    touched = await office.launched(trigger=DELIVERED)
    await happened(office, "delivered")
    await office.send(within=2 * HOUR)
    office.now += 3 * DAY
    await office.engine_says("UPDATE touchpoints SET occurred_at = now() - interval '3 days'")
    await office.tend()

    await plans_of_edit(office, wave, trigger=MONTHLY, wave_days=3, quarantine_days=0)
    assert await plans_of_edit(office, touched, trigger=DELIVERED, quarantine_days=0) == (0, 0)

    assert await office.send() == []


async def test_what_was_called_off_since_stays_so(office: Office) -> None:
    await asked_elsewhere(office, "ada", "bob")
    campaign = await office.launched(trigger=DELIVERED)
    for name in ("ada", "bob"):
        await happened(office, "delivered", f"{name}@example.com")
    await office.send(within=2 * HOUR)
    await happened(office, "returned", "ada@example.com")

    assert await plans_of_edit(office, campaign, trigger=DELIVERED, quarantine_days=0) == (0, 1)

    assert await office.send() == ["bob"]


async def test_nobody_is_asked_twice_and_what_was_released_stays_so(office: Office) -> None:
    await office.people("ada", "bob")
    campaign = await office.launched(pace={"per_hour": 1})
    await office.plan()
    await office.settle(await office.claim())
    await office.engine_says("UPDATE invitations SET state = 'released', due_at = NULL WHERE state = 'planned'")
    await office.engine_says("UPDATE invitations SET state = 'expired', due_at = NULL WHERE state = 'sent'")

    assert await plans_of_edit(office, campaign, quarantine_days=0) == (0, 0)

    assert await office.send() == []
    assert await office.states(campaign) == {"expired": 1, "released": 1}


async def test_an_edit_during_a_pause_is_obeyed_afterwards(office: Office) -> None:
    await asked_elsewhere(office, "ada")
    campaign = await office.launched()
    await office.send(within=2 * HOUR)
    await move(office.tenant, campaign, "pause")
    assert await plans_of_edit(office, campaign, quarantine_days=0) == (0, 1)
    assert await office.send(within=2 * HOUR) == []

    await move(office.tenant, campaign, "resume")

    assert await office.send(within=2 * HOUR) == ["ada"]


async def test_many_are_looked_at_some_at_a_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_looks, "AT_ONCE", 2)
    people = [f"p{at}" for at in range(5)]
    await asked_elsewhere(office, *people)
    campaign = await office.launched()
    await office.send(within=timedelta(hours=2))
    assert await office.states(campaign) == {"quarantine": 5}

    assert await plans_of_edit(office, campaign, quarantine_days=0) == (0, 5)

    assert sorted(await office.send()) == people


async def test_touchpoints_of_long_ago_are_not_gone_through(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(trigger=DELIVERED)
    for _ in range(2):
        await happened(office, "delivered")
        await office.send(within=HOUR)
    assert await skip_reasons(office, campaign) == {"sent": 1, "quarantine": 1}
    campaign_id = ids.parsed("campaign", campaign["id"])
    assert campaign_id is not None
    for days, found in ((10, 1), (30, 0)):
        async with office.engine.read() as tx:
            (read,) = await read_asking_campaigns(tx, [office.tenant.workspace_id], [campaign_id])
            assert len(await read_skipped(tx, read, limit=10, now=office.now + days * DAY)) == found
