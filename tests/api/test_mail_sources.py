"""Bounces and complaints, from the moment a mail service posts them to what they do to a person."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI
from sqlalchemy import insert

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.tables import invitations, messages
from app.domain import ids
from app.domain.mail.letter import verp_address
from app.operations.mail_sources import claim_sns_posts
from app.workers import sns_posts
from tests.builders import a_campaign, a_recipient, rows
from tests.conftest import Tenant, client
from tests.domain.mail.test_mail_events import REPORT, certificate_of, ses

NOW = datetime.now(UTC)
ADA = "ada@example.org"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/{name}.pem"


@pytest.fixture
async def mail(engine: Engine, alice: Tenant) -> dict[str, Any]:
    """Sent yesterday; a reminder is still to come."""
    campaign = ids.parsed("campaign", await a_campaign(engine, alice.workspace_id))
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id, email=ADA))
    place = {"workspace_id": alice.workspace_id, "campaign_id": campaign}
    invitation = {
        **place, "id": new_id(NOW), "recipient_id": person, "slot": "once", "survey_version": 1, "state": "sent",
        "due_at": NOW + timedelta(days=3), "asked_at": NOW - timedelta(days=1),
    }  # fmt: skip
    message = {
        **place, "id": new_id(NOW), "invitation_id": invitation["id"], "kind": "first", "domain": "example.org",
        "state": "sent", "created_at": NOW - timedelta(days=1),
    }  # fmt: skip
    async with engine.write() as tx:
        await tx.execute(insert(invitations).values(invitation))
        await tx.execute(insert(messages).values(message))
    return {"message": message["id"], "invitation": invitation["id"], "person": person, "campaign": campaign}


async def a_source(tenant: Tenant, kind: str, **fields: str) -> dict[str, Any]:
    reply = await tenant.api.post("/v1/mail-sources", json={"kind": kind, "name": "Ours", **fields})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


async def post(app: FastAPI, source: dict[str, Any], body: object, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://zeroten.test") as service:
        return await service.post(source["url"].partition("8010")[2], content=content, headers=headers)


async def state(engine: Engine, mail: dict[str, Any]) -> dict[str, Any]:
    (found,) = await rows(
        engine,
        "SELECT m.bounce_kind, m.complained_at IS NOT NULL AS mail_complained, v.bounced_at IS NOT NULL AS bounced,"
        " v.complained_at IS NOT NULL AS complained, v.delivered_at IS NOT NULL AS delivered, v.due_at,"
        " p.bounced_at IS NOT NULL AS no_address, p.complained_at IS NOT NULL AS never_again, p.unsubscribed_at,"
        " d.bounced_count, d.complained_count"
        " FROM messages m JOIN invitations v ON v.id = m.invitation_id JOIN recipients p ON p.id = v.recipient_id"
        " LEFT JOIN sending_days d ON d.campaign_id = m.campaign_id WHERE m.id = :id",
        id=mail["message"],
    )
    return found


def postmark(kind: str, **said: Any) -> dict[str, Any]:
    return {"RecordType": kind, "Email": ADA, "Recipient": ADA, **said}


async def test_a_hard_bounce_suppresses_ends_reminders_and_counts_once(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    source = await a_source(alice, "postmark")
    for _ in range(2):
        reply = await post(app, source, postmark("Bounce", Type="HardBounce"))
        assert reply.status_code == 200
    found = await state(engine, mail)
    assert (found["bounce_kind"], found["bounced"], found["no_address"]) == ("hard", True, True)
    assert (found["due_at"], found["bounced_count"]) == (None, 1)


async def test_a_complaint_is_counted_and_never_forgotten(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    await post(app, await a_source(alice, "postmark"), postmark("SpamComplaint"))
    found = await state(engine, mail)
    assert (found["mail_complained"], found["complained"], found["never_again"]) == (True, True, True)
    assert found["complained_count"] == 1


async def test_deliveries_and_soft_bounces_suppress_nobody(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    source = await a_source(alice, "postmark")
    await post(app, source, postmark("Delivery"))
    await post(app, source, postmark("Bounce", Type="SoftBounce"))
    found = await state(engine, mail)
    assert (found["delivered"], found["bounce_kind"], found["bounced"]) == (True, "soft", False)
    assert (found["no_address"], found["due_at"] is not None, found["bounced_count"]) == (False, True, None)


async def test_an_unsubscription_at_the_service_is_one_here(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    said = postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression")
    await post(app, await a_source(alice, "postmark"), said)
    assert (await state(engine, mail))["unsubscribed_at"] is not None


async def test_a_bounce_of_an_address_they_no_longer_have_is_not_held_against_them(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    event = {"event": "failed", "severity": "permanent", "recipient": "old@example.org"}
    event["message"] = {"headers": {"message-id": f"{mail['message'].hex}@shop.example"}}  # type: ignore[assignment]
    stamp = str(int(datetime.now(UTC).timestamp()))
    signature = hmac.new(b"signing", f"{stamp}t".encode(), "sha256").hexdigest()
    signed = {"timestamp": stamp, "token": "t", "signature": signature}
    source = await a_source(alice, "mailgun", secret="signing")
    assert (await post(app, source, {"signature": signed, "event-data": event})).status_code == 200
    found = await state(engine, mail)
    assert (found["bounce_kind"], found["no_address"]) == ("hard", False)
    forged = {"signature": {**signed, "token": "u"}, "event-data": event}
    assert (await post(app, source, forged)).status_code == 401


async def test_a_bounced_mail_that_is_passed_on_is_read(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    raw = REPORT.format(action="failed", status="5.1.1", header="<x@mx>", message=mail["message"].hex).encode()
    source = await a_source(alice, "dsn")
    assert (await post(app, source, raw, **{"content-type": "message/rfc822"})).status_code == 200
    assert (await state(engine, mail))["no_address"]


@pytest.mark.parametrize("named", ["0" * 32, "nothing"])
async def test_a_report_that_names_no_mail_of_ours_silences_nobody(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any], named: str
) -> None:
    """Anybody can write one, and send it to the bounce address."""
    raw = REPORT.format(action="failed", status="5.1.1", header="<x@mx>", message=named).encode()
    assert (await post(app, await a_source(alice, "dsn"), raw)).status_code == 200
    assert not (await state(engine, mail))["no_address"]


async def test_somebody_elses_source_reaches_nobody_here(
    app: FastAPI, engine: Engine, charlie: Tenant, mail: dict[str, Any]
) -> None:
    source = await a_source(charlie, "postmark")
    assert (await post(app, source, postmark("Bounce", Type="HardBounce"))).status_code == 200
    raw = REPORT.format(action="failed", status="5.1.1", header="<x@mx>", message=mail["message"].hex).encode()
    assert (await post(app, await a_source(charlie, "dsn"), raw)).status_code == 200
    found = await state(engine, mail)
    assert (found["bounce_kind"], found["no_address"]) == (None, False)


async def test_nobody_is_heard_without_the_key(app: FastAPI, alice: Tenant) -> None:
    source = await a_source(alice, "postmark")
    assert (await post(app, {"url": "8010/inbound/mail/nonsense"}, {})).status_code == 401
    assert (await post(app, {"url": "8010/inbound/mail/" + "x" * 200}, {})).status_code == 401
    assert (await post(app, source, b"{not json")).status_code == 400
    assert (await alice.api.delete(f"/v1/mail-sources/{source['id']}")).status_code == 204
    assert (await post(app, source, postmark("Delivery"))).status_code == 401


async def test_sources_are_listed_without_their_keys(alice: Tenant, charlie: Tenant) -> None:
    source = await a_source(alice, "ses", topic_arn=TOPIC)
    (listed,) = (await alice.api.get("/v1/mail-sources")).json()["data"]
    assert listed == {name: value for name, value in source.items() if name != "url"}
    assert (await charlie.api.get("/v1/mail-sources")).json()["data"] == []
    assert (await charlie.api.delete(f"/v1/mail-sources/{source['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"kind": "sendgrid"}, "/secret"), ({"kind": "mailgun"}, "/secret"),
        ({"kind": "sendgrid", "secret": b64encode(b"no key").decode()}, "/secret"),
        ({"kind": "dsn", "secret": "x"}, "/secret"), ({"kind": "ses", "topic_arn": "arn:aws:s3:::x"}, "/topic_arn"),
        ({"kind": "dsn", "topic_arn": TOPIC}, "/topic_arn"),
    ],
)  # fmt: skip
async def test_a_source_that_could_not_be_verified_is_refused(
    alice: Tenant, fields: dict[str, str], pointer: str
) -> None:
    reply = await alice.api.post("/v1/mail-sources", json={"name": "Ours", **fields})
    assert (reply.status_code, reply.json()["code"]) == (422, "mail_source_invalid")
    assert reply.json()["errors"][0]["pointer"] == pointer


async def test_a_secret_never_comes_back(app: FastAPI, engine: Engine, alice: Tenant) -> None:
    source = await a_source(alice, "mailgun", secret="hunter2hunter2")
    async with client(app, alice.secret_key) as api:
        assert "hunter2" not in (await api.get("/v1/mail-sources")).text + json.dumps(source)
    (row,) = await rows(engine, "SELECT secret, key_hash FROM mail_sources WHERE name = 'Ours' AND id = :id",
                        id=ids.parsed("mail_source", source["id"]))  # fmt: skip
    assert b"hunter2" not in row["secret"]


class Amazon:
    """What a worker may fetch, and what it did."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = CERTIFICATE_URL.format(name=new_id(NOW).hex)
        self.fetched: list[str] = []
        self.is_away = False

    def envelope(self, said: dict[str, object], *, topic: str = TOPIC) -> dict[str, object]:
        signed = {
            "Message": "{}",
            "MessageId": "m",
            "Timestamp": datetime.now(UTC).isoformat(),
            "TopicArn": topic,
            **said,
        }
        names = sorted(signed)
        text = "".join(f"{name}\n{signed[name]}\n" for name in names)
        signature = b64encode(self.key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()
        return {**signed, "SignatureVersion": "2", "Signature": signature, "SigningCertURL": self.url}

    async def fetch(self, url: str) -> bytes | None:
        self.fetched.append(url)
        return None if self.is_away else certificate_of(self.key)


async def look_into_all(engine: Engine, workspace_id: UUID, amazon: Amazon, now: datetime) -> int:
    async with engine.write() as tx:
        posts = [one for one in await claim_sns_posts(tx, now=now) if one.workspace_id == workspace_id]
    for one in posts:
        await sns_posts.look_into(engine, one, fetch=amazon.fetch)
    return len(posts)


def bounced(mail: dict[str, Any]) -> dict[str, object]:
    said = ses("Bounce", "bounce", "bouncedRecipients", bounceType="Permanent")
    content = json.loads(str(said["Message"]))
    content["mail"]["source"] = verp_address("bounces@shop.example", mail["message"])
    return {"Type": "Notification", "Message": json.dumps(content)}


async def test_what_amazon_says_is_believed_once_a_worker_has_seen_its_signature(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    amazon, source = Amazon(), await a_source(alice, "ses")
    amazon.is_away = True
    assert (await post(app, source, amazon.envelope(bounced(mail)))).status_code == 200
    assert await look_into_all(engine, alice.workspace_id, amazon, datetime.now(UTC)) == 1
    assert not (await state(engine, mail))["no_address"]
    amazon.is_away = False
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert await look_into_all(engine, alice.workspace_id, amazon, later) == 1
    assert (await state(engine, mail))["no_address"]
    assert await look_into_all(engine, alice.workspace_id, amazon, later + timedelta(minutes=2)) == 0


async def test_a_forged_post_is_dropped_and_nothing_of_a_strangers_is_fetched(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    amazon, source = Amazon(), await a_source(alice, "ses", topic_arn=TOPIC)
    genuine = amazon.envelope(bounced(mail))
    await post(app, source, {**genuine, "MessageId": "another"})
    await post(app, source, {**genuine, "SigningCertURL": "https://evil.example/x.pem"})
    await post(app, source, amazon.envelope(bounced(mail), topic=f"{TOPIC}2"))
    await post(
        app,
        source,
        amazon.envelope({"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": "http://127.0.0.1/"}),
    )
    await post(app, source, b"[]")
    assert await look_into_all(engine, alice.workspace_id, amazon, datetime.now(UTC)) == 5
    assert set(amazon.fetched) == {amazon.url}
    assert not (await state(engine, mail))["no_address"]


async def test_a_topic_is_confirmed_and_from_then_on_no_other_is_heard(
    app: FastAPI, engine: Engine, alice: Tenant
) -> None:
    amazon, source = Amazon(), await a_source(alice, "ses")
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    said = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": url}
    await post(app, source, amazon.envelope(said))
    assert await look_into_all(engine, alice.workspace_id, amazon, datetime.now(UTC)) == 1
    assert amazon.fetched == [amazon.url, url]
    (listed,) = (await alice.api.get("/v1/mail-sources")).json()["data"]
    assert listed["topic_arn"] == TOPIC
    await post(app, source, amazon.envelope(said, topic=f"{TOPIC}2"))
    assert await look_into_all(engine, alice.workspace_id, amazon, datetime.now(UTC)) == 1
    assert amazon.fetched.count(url) == 1
