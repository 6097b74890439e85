"""From people who call a mail spam to a campaign that stops: mail services tell, the timetable counts, and says so."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.config import Settings
from app.db.engine import Engine
from app.operations.instance import recognise_instance
from app.outbound.email.smtp import Mailer
from app.workers.asking import end_what_is_over
from app.workers.send_invitations import Postman
from app.workers.ship_mails import ship_mails
from tests.campaigns import read
from tests.conftest import SECRET_KEYS, a_tenant, running_app
from tests.operations.invitations.office import DAY, Office
from tests.outbound.email.mailboxes import MailServer, a_mail_server

SIGNING_KEY = "signing"


@dataclass
class Place:
    """Everything that a mail passes through, but the timetable's clock."""

    app: FastAPI
    office: Office
    mailbox: MailServer
    settings: Settings

    async def send(self) -> None:
        await self.office.plan()
        self.office.now += DAY
        async with Mailer(self.mailbox.server) as mailer:
            stop, clock = asyncio.Event(), lambda: self.office.now
            await Postman(self.office.engine, self.settings, mailer=mailer, stop=stop, clock=clock).step()

    async def hear(self, kind: str, body: object, **secret: str) -> None:
        """From a mail service, over HTTP."""
        said = {"kind": kind, "name": kind, **secret}
        url: str = (await self.office.tenant.api.post("/v1/mail-sources", json=said)).json()["url"]
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://zeroten.test") as service:
            reply = await service.post(url[url.index("/inbound/") :], content=json.dumps(body).encode())
        assert reply.status_code == 200, reply.text

    async def look(self) -> None:
        """As the timetable does each minute."""
        await end_what_is_over(self.office.engine, self.settings)
        await ship_mails(self.office.engine, self.settings)

    def mails_to(self, address: str) -> list[Any]:
        mails = [mail for mail in self.mailbox.mails if mail.rcpt_tos == [address]]
        return [message_from_bytes(mail.original_content or b"") for mail in mails]


@pytest.fixture
async def place(own_database_url: str, own_engine: Engine) -> AsyncIterator[Place]:
    async with (
        a_mail_server() as mailbox,
        running_app(own_database_url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        async with own_engine.write() as tx:
            await recognise_instance(tx, now=datetime.now(UTC))
        settings = Settings(
            database_url=own_database_url,
            secret_keys=SECRET_KEYS,
            smtp_url=f"smtp://127.0.0.1:{mailbox.port}",
            public_url="https://surveys.example.com",
        )
        yield Place(app, Office(own_engine, alice, datetime.now(UTC)), mailbox, settings)


def from_postmark(address: str) -> dict[str, str]:
    return {"RecordType": "SpamComplaint", "Email": address}


def from_mailgun(message_id: str) -> dict[str, Any]:
    stamp = str(int(datetime.now(UTC).timestamp()))
    signature = hmac.new(SIGNING_KEY.encode(), f"{stamp}token".encode(), "sha256").hexdigest()
    event = {"event": "complained", "message": {"headers": {"message-id": message_id.strip("<>")}}}
    return {"signature": {"timestamp": stamp, "token": "token", "signature": signature}, "event-data": event}


async def test_complaints_pause_the_campaign_and_say_so(place: Place) -> None:
    office = place.office
    await office.tenant.api.patch(
        "/v1/workspace", json={"sender": {"from_email": "surveys@shop.example", "notify_email": "ops@shop.example"}}
    )
    await office.people(*(f"p{at}" for at in range(6)))
    campaign = await office.launched(pace={"per_hour": 4})
    await place.send()
    asked = [mail.rcpt_tos[0] for mail in place.mailbox.mails]
    assert len(asked) == 4

    await place.hear("postmark", from_postmark(asked[0]))
    await place.look()
    assert (await read(office.tenant, campaign))["state"] == "running"  # one angry person is not a trend

    (mail,) = place.mails_to(asked[1])
    await place.hear("mailgun", from_mailgun(mail["Message-ID"]), secret=SIGNING_KEY)
    await place.look()

    paused = await read(office.tenant, campaign)
    assert (paused["state"], paused["paused_reason"]) == ("paused", "complaints")
    events = (await office.tenant.api.get("/v1/events", params={"type": "campaign.paused"})).json()["data"]
    assert [event["data"]["campaign"]["paused_reason"] for event in events] == ["complaints"]
    (notice,) = place.mails_to("ops@shop.example")
    assert notice["Subject"] == "Alice: a campaign was paused"
    text = notice.get_payload(decode=True).decode()
    assert "paused because of its complaints" in text
    assert "2 were marked as spam" in text.replace("\r\n", " ")

    await place.send()
    assert await office.states(campaign) == {"sent": 4, "planned": 2}
    await place.look()
    assert len(place.mails_to("ops@shop.example")) == 1
