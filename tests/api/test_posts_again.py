"""Posts of mail services that come twice, late, or with something else under a signature that was seen."""

import asyncio
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.mail.mail_events.mailgun import digest_of_token
from app.domain.mail.mail_events.sendgrid import SIGNATURE, TIMESTAMP
from app.operations.mail_sources import forget_mail_tokens, take_mail_token
from tests.api.test_mail_sources import ADA, Amazon, a_source, bounced, look_into_all, mail, post, state
from tests.builders import rows
from tests.conftest import Tenant
from tests.workers.scene import until

__all__ = ["mail"]

WAITS_FOR_A_LOCK = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def mailgun(event: str, *, token: str, at: datetime | None = None) -> dict[str, Any]:
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    signature = hmac.new(b"signing", f"{stamp}{token}".encode(), "sha256").hexdigest()
    signed = {"timestamp": stamp, "token": token, "signature": signature}
    return {"signature": signed, "event-data": {"event": event, "recipient": ADA}}


async def test_a_token_that_was_taken_says_nothing_else(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    """The signature covers neither what happened nor to whom."""
    source = await a_source(alice, "mailgun", secret="signing")
    delivered = mailgun("delivered", token="a")
    for said in (delivered, delivered, {**delivered, "event-data": {"event": "complained", "recipient": ADA}}):
        assert (await post(app, source, said)).status_code == 200
    found = await state(engine, mail)
    assert (found["delivered"], found["complained"], found["never_again"]) == (True, False, False)
    assert (await post(app, source, mailgun("complained", token="b"))).status_code == 200
    assert (await state(engine, mail))["never_again"]


async def test_a_token_is_taken_by_what_we_do_not_care_for_and_for_all_sources(
    app: FastAPI, engine: Engine, alice: Tenant, charlie: Tenant, mail: dict[str, Any]
) -> None:
    source, other = [await a_source(alice, "mailgun", secret="signing") for _ in range(2)]
    opened = mailgun("opened", token="a")
    assert (await post(app, source, opened)).status_code == 200
    forged = {**opened, "event-data": {"event": "complained", "recipient": ADA}}
    assert (await post(app, other, forged)).status_code == 200
    assert not (await state(engine, mail))["never_again"]


async def test_a_token_is_nobody_elses(
    app: FastAPI, engine: Engine, alice: Tenant, charlie: Tenant, mail: dict[str, Any]
) -> None:
    said = mailgun("complained", token="a")
    for tenant in (charlie, alice):
        assert (await post(app, await a_source(tenant, "mailgun", secret="signing"), said)).status_code == 200
    assert (await state(engine, mail))["never_again"]


@pytest.mark.parametrize("is_kept", [True, False])
async def test_of_two_that_race_the_second_waits_for_how_the_first_ends(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any], is_kept: bool
) -> None:
    source, said = await a_source(alice, "mailgun", secret="signing"), mailgun("complained", token="a")
    async with engine.raw.connect() as first:
        digest = digest_of_token(said)
        assert await take_mail_token(first, alice.workspace_id, digest, now=datetime.now(UTC))  # type: ignore[arg-type]
        second = asyncio.create_task(post(app, source, said))
        await somebody_who_waits(engine)
        await (first.commit() if is_kept else first.rollback())
    assert (await second).status_code == 200
    assert (await state(engine, mail))["never_again"] is not is_kept


async def test_a_post_that_failed_may_come_again(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any]
) -> None:
    source, said = await a_source(alice, "mailgun", secret="signing"), mailgun("complained", token="a")
    async with engine.raw.connect() as somebody:
        await somebody.execute(text("SELECT FROM recipients WHERE id = :id FOR UPDATE"), {"id": mail["person"]})
        failing = asyncio.create_task(post(app, source, said))
        pid = await somebody_who_waits(engine)
        await rows(engine, "SELECT pg_cancel_backend(:pid)", pid=pid)
        assert (await failing).status_code >= 500
    assert (await post(app, source, said)).status_code == 200
    assert (await state(engine, mail))["never_again"]


async def test_tokens_are_kept_for_as_long_as_they_could_be_sent_again(engine: Engine, alice: Tenant) -> None:
    """A clock may be wrong in either direction: what was signed twelve hours ahead is taken for another twelve."""
    now = datetime.now(UTC)
    for digest, age in ((b"old", 25), (b"new", 23)):
        async with engine.write() as tx:
            assert await take_mail_token(tx, alice.workspace_id, digest, now=now - timedelta(hours=age))
    async with engine.write() as tx:
        assert await forget_mail_tokens(tx, now=now) == 1
    (left,) = await rows(engine, "SELECT digest FROM mail_tokens WHERE workspace_id = :id", id=alice.workspace_id)
    assert left["digest"] == b"new"


@pytest.mark.parametrize(("hours", "status"), [(0, 200), (25, 200), (27, 401), (-27, 401)])
async def test_what_sendgrid_signed_is_heard_while_it_would_still_try(
    app: FastAPI, alice: Tenant, hours: int, status: int
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    source = await a_source(alice, "sendgrid", secret=public)
    stamp = str(int((datetime.now(UTC) - timedelta(hours=hours)).timestamp()))
    signature = b64encode(key.sign(f"{stamp}[]".encode(), ec.ECDSA(SHA256()))).decode()
    assert (await post(app, source, b"[]", **{SIGNATURE: signature, TIMESTAMP: stamp})).status_code == status


@pytest.mark.parametrize(("hours", "is_heard"), [(0, True), (11, True), (13, False), (-13, False)])
async def test_what_amazon_signed_long_ago_is_dropped(
    app: FastAPI, engine: Engine, alice: Tenant, mail: dict[str, Any], hours: int, is_heard: bool
) -> None:
    amazon, source, now = Amazon(), await a_source(alice, "ses"), datetime.now(UTC)
    signed_at = (now - timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert (await post(app, source, amazon.envelope({**bounced(mail), "Timestamp": signed_at}))).status_code == 200
    assert await look_into_all(engine, alice.workspace_id, amazon, datetime.now(UTC)) == 1
    assert (await state(engine, mail))["no_address"] is is_heard


async def somebody_who_waits(engine: Engine) -> int:
    found: list[dict[str, Any]] = []

    async def somebody_waits() -> bool:
        found[:] = await rows(engine, WAITS_FOR_A_LOCK)
        return bool(found)

    await until(somebody_waits)
    return int(found[0]["pid"])
