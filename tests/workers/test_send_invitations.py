"""The loop that mails: over a real SMTP server on loopback, and into the captured mailbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.config import Settings
from app.db.engine import Engine
from app.operations.instance import recognise_instance
from app.outbound.email.smtp import Mailer
from app.smtp_server import SmtpServer
from app.workers.home import only_at_home
from app.workers.send_invitations import Postman, at_once_after
from tests.builders import rows
from tests.campaigns import in_german, patch
from tests.conftest import SECRET_KEYS, a_tenant, running_app
from tests.faults import give_up
from tests.operations.invitations.office import DAY, HOUR, Office
from tests.outbound.email.mailboxes import a_mail_server, a_scripted_server

PUBLIC_URL = "https://surveys.example.com"


@pytest.fixture
async def office(own_database_url: str, own_engine: Engine) -> AsyncIterator[Office]:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        yield Office(own_engine, alice, datetime.now(UTC))


@asynccontextmanager
async def a_postman(office: Office, server: SmtpServer | None) -> AsyncIterator[Postman]:
    settings = Settings(secret_keys=SECRET_KEYS, public_url=PUBLIC_URL)
    if server is None:
        yield Postman(office.engine, settings, mailer=None, stop=asyncio.Event(), clock=lambda: office.now)
        return
    async with Mailer(server) as mailer:
        yield Postman(office.engine, settings, mailer=mailer, stop=asyncio.Event(), clock=lambda: office.now)


async def all_due(office: Office) -> None:
    await office.plan()
    office.now += DAY


async def captured(office: Office) -> list[dict[str, object]]:
    return await rows(office.engine, "SELECT to_address, subject FROM captured_mails ORDER BY to_address")


async def test_mails_leave_by_smtp_with_a_link_of_their_own(office: Office) -> None:
    await office.people("ada", "bob")
    campaign = await office.launched()
    await all_due(office)

    async with a_mail_server() as server, a_postman(office, server.server) as postman:
        await postman.step()

    assert sorted(mail.rcpt_tos[0] for mail in server.mails) == ["ada@example.com", "bob@example.com"]
    assert all(f"{PUBLIC_URL}/s/".encode() in (mail.original_content or b"") for mail in server.mails)
    assert await office.states(campaign) == {"sent": 2}
    assert await captured(office) == []


async def test_without_a_server_they_are_captured(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(email={"subject": {"en": "A word, {name|friend}?"}})
    await all_due(office)

    async with a_postman(office, None) as postman:
        await postman.step()

    assert await captured(office) == [{"to_address": "ada@example.com", "subject": "A word, friend?"}]
    assert await office.states(campaign) == {"sent": 1}


async def test_a_variant_is_asked_in_its_own_words(office: Office) -> None:
    await office.people(*(f"p{at}" for at in range(12)))
    own = {
        "key": "b",
        "subject": {"en": "A word, {name|friend}?"},
        "question": {"en": "Would you tell a friend?", "de": "Und?"},
    }
    await office.launched(variants=[{"key": "a"}, own])
    await all_due(office)

    async with a_postman(office, None) as postman:
        await postman.step()

    mails = await rows(
        office.engine,
        "SELECT v.variant, m.subject, m.raw LIKE '%tell a friend?%'::bytea AS asks_so"
        " FROM captured_mails m JOIN recipients p ON p.email = m.to_address"
        " JOIN invitations v ON v.recipient_id = p.id",
    )
    assert {(mail["variant"], mail["subject"], mail["asks_so"]) for mail in mails} == {
        ("a", "How likely are you to recommend us?", False), ("b", "A word, friend?", True)
    }  # fmt: skip


async def test_a_reminder_reads_like_one(office: Office) -> None:
    await office.people("ada")
    await office.launched(email={"subject": {"en": "A word?"}}, reminders=[{"after_days": 4}])

    async with a_postman(office, None) as postman:
        for days in (0, 5):
            office.now += days * DAY
            await all_due(office)
            await postman.step()

    mails = await rows(office.engine, "SELECT purpose, subject FROM captured_mails ORDER BY created_at")
    assert [(mail["purpose"], mail["subject"]) for mail in mails] == [
        ("first", "A word?"),
        ("reminder", "Reminder: A word?"),
    ]


async def test_a_reminder_asks_what_the_first_mail_asked(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched(reminders=[{"after_days": 3}])
    await all_due(office)
    async with a_postman(office, None) as postman:
        await postman.step()
        survey = in_german(default_language="en", languages=["en"], question={"en": "Something else?"})
        assert (await patch(office.tenant, campaign, survey=survey, survey_change="wording")).status_code == 200
        office.now += 4 * DAY
        await postman.step()

    subjects = [mail["subject"] for mail in await rows(office.engine, "SELECT subject FROM captured_mails")]
    assert len(subjects) == 2
    assert all("How likely are you to recommend us?" in str(subject) for subject in subjects)


async def test_a_test_workspace_mails_nobody(office: Office) -> None:
    await office.people("ada")
    await office.launched()
    await office.engine_says("UPDATE workspaces SET mode = 'test'")
    await all_due(office)

    async with a_mail_server() as server, a_postman(office, server.server) as postman:
        await postman.step()

    assert server.mails == []
    assert len(await captured(office)) == 1


async def test_a_server_that_is_away_asks_nobody(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched()
    await all_due(office)

    async with a_postman(office, SmtpServer("127.0.0.1", 9)) as postman:
        await postman.step()

    assert await office.states(campaign) == {"planned": 1}
    assert await office.asked_at(ada) is None


async def test_an_address_that_is_refused_has_bounced(office: Office) -> None:
    await office.people("ada", "bob")
    campaign = await office.launched()
    await all_due(office)

    async with a_mail_server() as server, a_postman(office, server.server) as postman:
        server.recipient_replies = {"ada@example.com": "550 5.1.1 nobody here"}
        await postman.step()

    assert await office.states(campaign) == {"sent": 1, "failed": 1}
    changed = (
        "SELECT email, revision, bounced_at IS NOT NULL AS is_out, updated_at > created_at AS is_later FROM recipients"
    )
    assert await rows(office.engine, f"{changed} ORDER BY email") == [
        {"email": "ada@example.com", "revision": 2, "is_out": True, "is_later": True},
        {"email": "bob@example.com", "revision": 1, "is_out": False, "is_later": False},
    ]


async def test_of_a_mail_that_broke_off_nobody_knows_and_it_is_not_repeated(office: Office) -> None:
    (ada,) = await office.people("ada")
    campaign = await office.launched()
    await all_due(office)

    async with a_scripted_server({".": None}) as server, a_postman(office, server) as postman:
        await postman.step()
        await postman.step()

    assert await office.states(campaign) == {"unknown": 1}
    assert await office.asked_at(ada) is not None


async def test_a_restored_copy_mails_nobody(office: Office) -> None:
    await office.people("ada")
    campaign = await office.launched()
    await all_due(office)
    async with office.engine.write() as tx:
        await recognise_instance(tx, now=office.now)
    await office.engine_says("UPDATE instance SET fingerprint = 'another server/zeroten'")

    async with a_mail_server() as server, a_postman(office, server.server) as postman:
        await only_at_home(office.engine, postman.step)()

    assert server.mails == []
    assert await office.states(campaign) == {"planned": 1}


async def test_what_is_not_away_when_the_window_closes_waits_for_the_next_one(office: Office) -> None:
    await office.people("ada", "bob", time_zone="UTC")
    campaign = await office.launched(window={"from": "08:00", "until": "09:00"})
    await all_due(office)
    office.now = office.now.replace(hour=8, minute=59)

    async with a_mail_server() as server, Mailer(server.server, connections=1) as mailer:
        settings = Settings(secret_keys=SECRET_KEYS, public_url=PUBLIC_URL)
        postman = Postman(
            office.engine, settings, mailer=mailer, stop=asyncio.Event(),
            clock=lambda: office.now + timedelta(minutes=len(server.mails)),
        )  # fmt: skip
        await postman.step()
        assert len(server.mails) == 1

    assert await office.states(campaign) == {"sent": 1, "planned": 1}
    office.now += HOUR
    assert await office.claim() == []
    office.now += DAY - HOUR
    assert len(await office.claim()) == 1


@pytest.mark.parametrize(("mails", "seconds", "next_time"), [(32, 0.5, 200), (200, 20.0, 100), (200, 800.0, 8)])
def test_no_more_is_claimed_than_leaves_soon(mails: int, seconds: float, next_time: int) -> None:
    assert at_once_after(mails, seconds) == next_time


@pytest.mark.parametrize("sqlstate", ["40P01", "55P03", "08006"])
async def test_what_was_sent_is_written_down_though_the_database_gave_up_at_first(
    office: Office, sqlstate: str
) -> None:
    await office.people("ada", "bob")
    campaign = await office.launched()
    await all_due(office)
    await give_up(office.engine, "messages", when="UPDATE", sqlstate=sqlstate)

    async with a_mail_server() as server, a_postman(office, server.server) as postman:
        await postman.step()

    assert len(server.mails) == 2
    assert await office.states(campaign) == {"sent": 2}
