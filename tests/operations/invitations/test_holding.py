"""A large wave does not leave from a domain that mail services would refuse it from."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.db.engine import Engine
from app.db.statements import fetch
from app.domain.mail import campaign_sender
from app.domain.mail.domain_check.check import DomainCheck
from app.domain.mail.domain_check.dmarc import Dmarc
from app.domain.mail.domain_check.finding import Finding, Part, Severity
from app.domain.mail.domain_check.spf import Spf
from app.operations.invitations import hold
from app.operations.sender_domains import claim_domain_checks, settle_domain_check
from app.queries import dry_run
from tests.askings import an_asking
from tests.builders import rows
from tests.campaigns import create, read
from tests.operations.invitations.office import HOUR, Office

FAULT = Finding(Part.DMARC, Severity.FAILED, "dmarc_missing", "No record.", "_dmarc.shop.example")
PEOPLE = ("ada", "bob", "cay", "dan")


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (campaign_sender, hold, dry_run):
        monkeypatch.setattr(module, "LARGE_WAVE", 3)


async def set_sender(office: Office, **changes: Any) -> None:
    said = {"from_email": "surveys@shop.example", "notify_email": "ops@shop.example", **changes}
    reply = await office.tenant.api.patch("/v1/workspace", json={"sender": said})
    assert reply.status_code == 200, reply.text


async def checked(office: Office, *findings: Finding, only: str = "") -> None:
    """As a worker would have found, of domains that end like this."""
    office.now = max(office.now, datetime.now(UTC))
    async with office.engine.write() as tx:
        await fetch(tx, "UPDATE sender_domains SET due_at = $1", office.now)
        for claimed in await claim_domain_checks(tx, now=office.now):
            found = findings if claimed.domain.endswith(only) else ()
            check = DomainCheck(claimed.domain, Spf(None, 0, ()), Dmarc(None), found)
            await settle_domain_check(tx, claimed, check, now=office.now)


async def state(office: Office, campaign: dict[str, Any]) -> tuple[str, str | None]:
    found = await read(office.tenant, campaign)
    return found["state"], found["paused_reason"]


async def notices(engine: Engine) -> list[str]:
    return [row["subject"] for row in await rows(engine, "SELECT subject FROM outgoing_mails ORDER BY created_at, id")]


async def test_a_large_wave_from_a_failed_domain_is_held_before_the_first_mail(office: Office) -> None:
    await office.people(*PEOPLE)
    await set_sender(office)
    await checked(office, FAULT)
    campaign = await office.launched()

    assert await office.send() == []

    assert await state(office, campaign) == ("paused", "sender_domain")
    assert await office.states(campaign) == {"planned": 4}
    assert await notices(office.engine) == ["Alice: a campaign was paused"]
    events = (await office.tenant.api.get("/v1/events", params={"type": "campaign.paused"})).json()["data"]
    assert [event["data"]["campaign"]["paused_reason"] for event in events] == ["sender_domain"]


async def test_it_stays_held_until_the_domain_has_passed(office: Office) -> None:
    await office.people(*PEOPLE)
    await set_sender(office)
    await checked(office, FAULT)
    campaign = await office.launched()
    await office.send()
    resume = f"/v1/campaigns/{campaign['id']}/resume"

    resumed = (await office.tenant.api.post(resume)).json()
    assert [warning["code"] for warning in resumed["warnings"]] == ["domain_failed"]
    assert await office.send() == []
    assert await state(office, campaign) == ("paused", "sender_domain")

    await checked(office)
    assert (await office.tenant.api.post(resume)).json()["warnings"] == []
    assert sorted(await office.send()) == sorted(PEOPLE)


async def test_what_nobody_knows_holds_nothing(office: Office) -> None:
    await office.people(*PEOPLE)
    await set_sender(office)
    await checked(office, replace(FAULT, severity=Severity.UNKNOWN))
    await office.launched()

    assert sorted(await office.send()) == sorted(PEOPLE)


async def test_a_small_wave_leaves_and_so_does_a_large_one_where_that_is_wanted(office: Office) -> None:
    await office.people(*PEOPLE[:3])
    await set_sender(office)
    await checked(office, FAULT)
    await office.launched(quarantine_days=0)
    assert len(await office.send()) == 3
    await office.people("dan")
    await set_sender(office, send_unaligned=True)
    await office.launched(quarantine_days=0)
    assert len(await office.send()) == 4


async def test_a_wave_on_its_way_stops_when_its_domain_breaks(office: Office) -> None:
    await office.people(*PEOPLE, "eve")
    await set_sender(office)
    await checked(office)
    campaign = await office.launched(pace={"per_hour": 1})
    await office.plan()
    await office.settle(await office.claim())

    await checked(office, FAULT)

    assert await state(office, campaign) == ("paused", "sender_domain")
    assert await office.states(campaign) == {"sent": 1, "planned": 4}
    assert sorted(await notices(office.engine)) == ["Alice: a campaign was paused", "Alice: mail from shop.example"]


async def test_a_campaign_is_held_for_the_domains_it_mails_from_and_no_others(office: Office) -> None:
    await office.people(*PEOPLE)
    await set_sender(office, domains=["other.example"])
    await checked(office, FAULT, only="other.example")
    other = await office.launched(email={"from_email": "ada@other.example"})
    by_owner = await office.launched(email={"sender": "account_owner"})
    own = await office.launched(quarantine_days=0)

    await office.plan()

    assert [(await state(office, one))[0] for one in (other, by_owner, own)] == ["paused", "paused", "running"]


async def test_a_plan_and_a_launch_warn_of_it(office: Office) -> None:
    campaigns = [await create(office.tenant, kind="relationship", asking=an_asking()) for _ in range(3)]
    await office.people(*PEOPLE[:3])
    assert await warned(office, campaigns[0]) == []
    await office.people("dan")
    assert await warned(office, campaigns[0]) == [("sender_missing", None)]
    await set_sender(office)
    assert await warned(office, campaigns[0], launch=True) == [("domain_unchecked", "shop.example")]
    await checked(office, FAULT)
    assert await warned(office, campaigns[1], launch=True) == [("domain_failed", "shop.example")]
    await checked(office)
    assert await warned(office, campaigns[2], launch=True) == []


async def warned(office: Office, campaign: dict[str, Any], *, launch: bool = False) -> list[tuple[str, str | None]]:
    path = f"/v1/campaigns/{campaign['id']}"
    warnings = (await office.tenant.api.post(f"{path}/plan", json={})).json()["after"]["warnings"]
    assert all("4 mails" in one["text"] for one in warnings)
    if launch:
        assert (await office.tenant.api.post(f"{path}/launch")).json()["warnings"] == warnings
    return [(one["code"], one["domain"]) for one in warnings]


async def delivered(office: Office, *names: str) -> None:
    said = [{"name": "delivered", "recipient": {"email": f"{name}@example.com"}} for name in names]
    reply = await office.tenant.api.post("/v1/touchpoints/bulk", json={"touchpoints": said})
    assert reply.json()["rejected"] == 0, reply.text


async def look_at_the_day(office: Office) -> None:
    async with office.engine.write() as tx:
        await hold.hold_busy_days(tx, now=office.now)


DELIVERED: dict[str, Any] = {"trigger": {"kind": "touchpoint", "name": "delivered"}, "quarantine_days": 0}


async def test_a_busy_day_of_touchpoints_is_held_like_a_wave(office: Office) -> None:
    await set_sender(office)
    await checked(office, FAULT)
    campaign = await office.launched(**DELIVERED)
    await office.people(*PEOPLE)
    await delivered(office, *PEOPLE[:3])
    office.now += HOUR
    await look_at_the_day(office)
    assert len(await office.claim()) == 3

    await delivered(office, PEOPLE[3])
    await look_at_the_day(office)

    assert await state(office, campaign) == ("paused", "sender_domain")
    assert await office.claim() == []
    await office.tenant.api.post(f"/v1/campaigns/{campaign['id']}/resume")
    await office.plan()
    assert await state(office, campaign) == ("paused", "sender_domain")


async def test_two_failed_domains_hold_it_once(office: Office) -> None:
    await set_sender(office, domains=["other.example"])
    await checked(office, FAULT)
    campaign = await office.launched(**DELIVERED)
    await office.people(*PEOPLE)
    await delivered(office, *PEOPLE)
    office.now += HOUR
    await look_at_the_day(office)
    assert await state(office, campaign) == ("paused", "sender_domain")


async def test_what_is_due_on_other_days_does_not_make_a_day_busy(office: Office) -> None:
    await set_sender(office)
    await checked(office, FAULT)
    later = {**DELIVERED["trigger"], "delay_minutes": 60 * 24 * 40}
    campaign = await office.launched(**{**DELIVERED, "trigger": later})
    await office.people(*PEOPLE)
    await delivered(office, *PEOPLE)

    await look_at_the_day(office)
    await checked(office, FAULT)

    assert await state(office, campaign) == ("running", None)


async def test_where_the_domain_is_right_a_busy_day_holds_nothing(office: Office) -> None:
    await set_sender(office)
    await checked(office)
    campaign = await office.launched(**DELIVERED)
    await office.people(*PEOPLE)
    await delivered(office, *PEOPLE)

    await look_at_the_day(office)

    assert await state(office, campaign) == ("running", None)


async def test_a_plan_and_a_launch_warn_of_busy_days(office: Office) -> None:
    await set_sender(office)
    await checked(office, FAULT)
    campaign = await create(office.tenant, asking=an_asking(**DELIVERED))
    place = f"/v1/campaigns/{campaign['id']}"

    plan = (await office.tenant.api.post(f"{place}/plan", json={})).json()["after"]
    launched = (await office.tenant.api.post(f"{place}/launch")).json()

    (warning,) = plan["warnings"]
    assert launched["warnings"] == [warning]
    assert (warning["code"], warning["domain"]) == ("domain_failed", "shop.example")
    assert "pauses the campaign" in warning["text"]
