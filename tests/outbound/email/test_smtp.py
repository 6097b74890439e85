import asyncio

import pytest

from app.outbound.email.smtp import Mailer, SmtpOutcome, SmtpResult, Stage
from app.smtp_server import SmtpServer
from tests.outbound.email.mailboxes import a_mail_server, a_scripted_server
from tests.workers.scene import until

MAIL = b"Subject: Hello\r\n\r\nHow likely?\r\n.with a dot\r\n"
BOUNCES = "bounces+1@example.com"


async def sent_to(server: SmtpServer, to: str = "ada@example.org", *, deadline_seconds: float = 10) -> SmtpOutcome:
    async with Mailer(server, deadline_seconds=deadline_seconds) as mailer:
        return await mailer.send(MAIL, envelope_sender=BOUNCES, to=to)


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with a_mail_server() as mailbox:
        outcome = await sent_to(mailbox.server)
    (mail,) = mailbox.mails
    assert (outcome.result, outcome.reply_code) == (SmtpResult.SENT, 250)
    assert (mail.mail_from, mail.rcpt_tos, mail.content) == (BOUNCES, ["ada@example.org"], MAIL)


async def test_mails_share_a_few_connections() -> None:
    async with a_mail_server() as mailbox, Mailer(mailbox.server, connections=3) as mailer:
        sending = (mailer.send(MAIL, envelope_sender=BOUNCES, to=f"p{n}@example.org") for n in range(60))
        outcomes = await asyncio.gather(*sending)
        assert {outcome.result for outcome in outcomes} == {SmtpResult.SENT}
    assert mailbox.connections <= 3
    assert sorted(mail.rcpt_tos[0] for mail in mailbox.mails) == sorted(f"p{n}@example.org" for n in range(60))


async def test_a_refusal_is_kept_to_its_mail_and_its_connection_goes_on() -> None:
    async with a_mail_server() as mailbox, Mailer(mailbox.server, connections=1) as mailer:
        mailbox.recipient_replies = {"gone@example.org": "550 5.1.1 no such user"}
        refused = await mailer.send(MAIL, envelope_sender=BOUNCES, to="gone@example.org")
        taken = await mailer.send(MAIL, envelope_sender=BOUNCES, to="ada@example.org")
    assert (refused.result, refused.stage, refused.reply_code) == (SmtpResult.FAILED, Stage.RECIPIENT, 550)
    assert refused.is_permanent
    assert refused.is_about_address
    assert taken.result is SmtpResult.SENT
    assert mailbox.connections == 1


@pytest.mark.parametrize(
    ("reply", "is_permanent", "is_about_address"),
    [
        ("550 no such user here", True, True),
        ("550 5.7.1 we do not like you", True, False),
        ("450 4.2.0 greylisted", False, False),
        ("552 5.2.2 mailbox full", True, False),
    ],
)
async def test_only_what_is_said_of_the_address_is_held_against_it(
    reply: str, is_permanent: bool, is_about_address: bool
) -> None:
    async with a_scripted_server({"RCPT": reply}) as server:
        outcome = await sent_to(server)
    assert (outcome.result, outcome.is_permanent) == (SmtpResult.FAILED, is_permanent)
    assert outcome.is_about_address is is_about_address
    assert outcome.may_be_tried_again is not is_permanent


@pytest.mark.parametrize(
    ("word", "reply"),
    [
        ("MAIL", "530 5.7.0 Authentication required"),
        ("MAIL", "550 5.7.1 you may not send as this"),
        ("RCPT", "530 5.7.57 client not authenticated"),
        ("RCPT", "550 relay not permitted"),
        ("RCPT", "554 5.7.1 <ada@example.org>: Relay access denied"),
        ("RCPT", "550 authentication required"),
        ("RCPT", "550 5.1.8 <bounces+1@example.com>: Sender address rejected: Domain not found"),
        ("RCPT", "553 5.7.1 <bounces+1@example.com>: Sender address rejected: not owned by user"),
        ("RCPT", "550 Sender address rejected"),
        ("RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using a list"),
        ("RCPT", "550 Helo command rejected: need fully-qualified hostname"),
    ],
)
async def test_a_server_that_takes_nothing_of_ours_holds_it_against_nobody(word: str, reply: str) -> None:
    async with a_scripted_server({word: reply}) as server:
        outcome = await sent_to(server)
    assert (outcome.result, outcome.is_permanent) == (SmtpResult.FAILED, False)
    assert outcome.may_be_tried_again
    assert not outcome.is_about_address


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 <relay@example.org>: no such user",
        "550 <relay@example.org>: no such user",
        "550 no such user: relay@example.org at relay.example.org",
    ],
)
async def test_an_address_that_is_called_relay_bounces_like_any(reply: str) -> None:
    async with a_scripted_server({"RCPT": reply}) as server:
        assert (await sent_to(server, "relay@example.org")).is_about_address


@pytest.mark.parametrize("word", ["hello", "EHLO", "MAIL", "RCPT"])
@pytest.mark.parametrize("reply", [None, "421 going down"])
async def test_what_ended_before_the_content_may_be_tried_again(word: str, reply: str | None) -> None:
    async with a_scripted_server({word: reply}) as server:
        outcome = await sent_to(server)
    assert outcome.result is SmtpResult.NOT_SENT
    assert outcome.may_be_tried_again


async def test_nobody_listening_is_not_sent() -> None:
    async with a_scripted_server({}) as server:
        pass
    assert (await sent_to(server)).result is SmtpResult.NOT_SENT


@pytest.mark.parametrize("word", ["DATA", "."])
async def test_a_connection_that_dies_with_the_content_leaves_it_unknown(word: str) -> None:
    async with a_scripted_server({word: None}) as server:
        outcome = await sent_to(server)
    assert (outcome.result, outcome.may_be_tried_again) == (SmtpResult.UNKNOWN, False)


async def test_a_server_that_says_nothing_is_left_at_the_deadline() -> None:
    async with a_scripted_server({"RCPT": ""}) as server:
        assert (await sent_to(server, deadline_seconds=0.3)).result is SmtpResult.NOT_SENT
    async with a_scripted_server({".": ""}) as server:
        assert (await sent_to(server, deadline_seconds=0.3)).result is SmtpResult.UNKNOWN


async def test_content_that_is_refused_has_failed() -> None:
    async with a_scripted_server({".": "554 5.7.1 spam"}) as server:
        outcome = await sent_to(server)
    assert (outcome.result, outcome.stage, outcome.reply_code) == (SmtpResult.FAILED, Stage.CONTENT, 554)
    assert not outcome.is_about_address


async def test_a_kept_connection_that_died_meanwhile_costs_nothing() -> None:
    async with a_mail_server(timeout=0.2) as mailbox, Mailer(mailbox.server) as mailer:
        first = await mailer.send(MAIL, envelope_sender=BOUNCES, to="ada@example.org")
        (kept,) = mailer._idle

        async def is_dead() -> bool:
            await asyncio.sleep(0)
            return not kept.client.is_connected

        await until(is_dead)
        second = await mailer.send(MAIL, envelope_sender=BOUNCES, to="bob@example.org")
    assert (first.result, second.result) == (SmtpResult.SENT, SmtpResult.SENT)
    assert mailbox.connections == 2


async def test_an_international_address_needs_a_server_that_knows_them() -> None:
    async with a_mail_server() as mailbox:
        assert (await sent_to(mailbox.server, "jürgen@example.org")).result is SmtpResult.SENT
    async with a_scripted_server({}) as server:
        outcome = await sent_to(server, "jürgen@example.org")
    assert (outcome.result, outcome.is_permanent) == (SmtpResult.FAILED, True)
