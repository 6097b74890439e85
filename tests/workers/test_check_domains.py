"""From a sender to what the DNS says about it: the API asks, a worker looks, the API tells."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.config import Settings
from app.db.engine import Engine
from app.db.statements import fetch
from app.domain.mail.domain_check.check import check_domain
from app.operations.instance import recognise_instance
from app.operations.sender_domains import claim_domain_checks, settle_domain_check
from app.outbound.dns import NameServers
from app.workers.check_domains import check_domains
from tests.builders import rows
from tests.conftest import Tenant, a_tenant, running_app
from tests.outbound.name_servers import NameServer, a_name_server

KEY = b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
SOUND: dict[str, dict[str, list[str]]] = {
    "shop.example": {"TXT": ['"v=spf1 mx -all"'], "MX": ["10 mx.shop.example."]},
    "_dmarc.shop.example": {"TXT": ['"v=DMARC1; p=reject"']},
    "s1._domainkey.shop.example": {"TXT": [f'"v=DKIM1; k=ed25519; p={KEY}"']},
}
SENDER = {"from_email": "surveys@shop.example", "dkim_selectors": ["s1"], "notify_email": "ops@shop.example"}


@dataclass
class Desk:
    engine: Engine
    tenant: Tenant
    server: NameServer

    async def set_sender(self, **changes: Any) -> None:
        reply = await self.tenant.api.patch("/v1/workspace", json={"sender": changes})
        assert reply.status_code == 200, reply.text

    async def work(self) -> None:
        await check_domains(self.engine, Settings(nameservers=f"127.0.0.1:{self.server.port}"))

    async def make_due(self) -> None:
        async with self.engine.write() as tx:
            await fetch(tx, "UPDATE sender_domains SET due_at = now()")

    async def domains(self) -> dict[str, dict[str, Any]]:
        reply = await self.tenant.api.get("/v1/sender-domains")
        assert reply.status_code == 200, reply.text
        return {one["domain"]: one for one in reply.json()["data"]}

    async def notices(self) -> list[str]:
        found = await rows(self.engine, "SELECT subject FROM outgoing_mails WHERE purpose = 'notice'")
        return [row["subject"] for row in found]


@pytest.fixture
async def desk(own_database_url: str, own_engine: Engine) -> AsyncIterator[Desk]:
    async with (
        running_app(own_database_url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
        a_name_server(SOUND) as server,
    ):
        async with own_engine.write() as tx:
            await recognise_instance(tx, now=datetime.now(UTC))
        yield Desk(own_engine, alice, server)


async def test_a_new_sender_is_checked_by_itself(desk: Desk) -> None:
    assert await desk.domains() == {}
    reply = await desk.tenant.api.post("/v1/sender-domains/check")
    assert (reply.status_code, reply.json()["code"]) == (422, "sender_missing")
    await desk.set_sender(**SENDER)
    waiting = (await desk.domains())["shop.example"]
    assert (waiting["state"], waiting["is_checking"], waiting["checked_at"]) == ("unchecked", True, None)

    await desk.work()

    found = (await desk.domains())["shop.example"]
    assert (found["state"], found["is_checking"], found["findings"]) == ("passed", False, [])
    assert (found["spf_record"], found["spf_look_ups"]) == ("v=spf1 mx -all", 1)
    assert (found["dmarc_policy"], found["bounce_domain"]) == ("reject", "shop.example")
    assert found["checked_at"] is not None
    (row,) = await rows(desk.engine, "SELECT due_at - checked_at AS wait FROM sender_domains")
    assert row["wait"] == timedelta(days=1)


async def test_another_sender_is_looked_at_another_name_is_not_and_a_domain_taken_away_is_forgotten(desk: Desk) -> None:
    await desk.set_sender(**SENDER)
    await desk.work()
    await desk.set_sender(from_name="Shop")
    assert not (await desk.domains())["shop.example"]["is_checking"]
    await desk.set_sender(domains=["shop.test"])
    assert {name: one["is_checking"] for name, one in (await desk.domains()).items()} == {
        "shop.example": True, "shop.test": True,
    }  # fmt: skip
    await desk.set_sender(domains=[])
    assert [row["domain"] for row in await rows(desk.engine, "SELECT domain FROM sender_domains")] == ["shop.example"]


async def test_what_is_wrong_says_what_to_publish(desk: Desk) -> None:
    desk.server.zone = {name: SOUND[name] for name in SOUND if not name.startswith("_dmarc")}
    await desk.set_sender(**SENDER)
    await desk.work()

    found = (await desk.domains())["shop.example"]

    assert found["state"] == "failed"
    (finding,) = found["findings"]
    assert (finding["part"], finding["severity"], finding["code"]) == ("dmarc", "failed", "dmarc_missing")
    assert (finding["name"], finding["publish"]) == (
        "_dmarc.shop.example", "v=DMARC1; p=none; rua=mailto:dmarc@shop.example",
    )  # fmt: skip


async def test_a_check_is_asked_for_and_not_all_the_time(desk: Desk) -> None:
    await desk.set_sender(**SENDER)
    await desk.work()
    asked = len(desk.server.asked)

    reply = await desk.tenant.api.post("/v1/sender-domains/check")

    assert reply.status_code == 202
    assert [one["is_checking"] for one in reply.json()["data"]] == [True]
    await desk.work()
    assert len(desk.server.asked) == asked
    await desk.make_due()
    await desk.work()
    assert len(desk.server.asked) == 2 * asked
    async with desk.engine.write() as tx:
        await fetch(tx, "UPDATE instance SET fingerprint = 'elsewhere'")
    await desk.make_due()
    await desk.work()
    assert len(desk.server.asked) == 2 * asked  # a copy of a database asks nobody


async def test_a_domain_that_breaks_is_told_of_once(desk: Desk) -> None:
    await desk.set_sender(**SENDER)
    await desk.work()
    desk.server.zone = {**SOUND, "s1._domainkey.shop.example": {"TXT": ['"v=DKIM1; p="']}}
    for _ in range(2):
        await desk.make_due()
        await desk.work()
    assert await desk.notices() == ["Alice: mail from shop.example"]


async def test_what_was_changed_while_it_was_looked_at_is_looked_at_again(desk: Desk) -> None:
    await desk.set_sender(**SENDER)
    now = datetime.now(UTC)
    async with desk.engine.write() as tx:
        (claimed,) = await claim_domain_checks(tx, now=now)
        assert await claim_domain_checks(tx, now=now) == []
    await desk.set_sender(dkim_selectors=["s1", "s2"])
    async with desk.engine.write() as tx:
        (later,) = await claim_domain_checks(tx, now=datetime.now(UTC))
    assert (claimed.sender.dkim_selectors, later.sender.dkim_selectors) == (("s1",), ("s1", "s2"))
    name_servers = NameServers([("127.0.0.1", desk.server.port)])
    check = await name_servers.run(check_domain("shop.example", claimed.sender))
    async with desk.engine.write() as tx:
        await settle_domain_check(tx, claimed, check, now=now)
    assert (await desk.domains())["shop.example"]["state"] == "unchecked"


async def test_asking_while_it_is_looked_at_does_not_put_off_what_it_finds(desk: Desk) -> None:
    await desk.set_sender(**SENDER)
    now = datetime.now(UTC)
    async with desk.engine.write() as tx:
        (claimed,) = await claim_domain_checks(tx, now=now)
    assert (await desk.tenant.api.post("/v1/sender-domains/check")).status_code == 202
    name_servers = NameServers([("127.0.0.1", desk.server.port)])
    check = await name_servers.run(check_domain("shop.example", claimed.sender))
    async with desk.engine.write() as tx:
        await settle_domain_check(tx, claimed, check, now=now)
    assert (await desk.domains())["shop.example"]["state"] == "passed"
