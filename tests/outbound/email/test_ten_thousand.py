"""Ten thousand mails through the Mailer to a real server: each arrives once, as it was written."""

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from time import perf_counter
from uuid import UUID

import pytest

from app.domain.mail.letter import Letter, Mailbox, message_of, verp_address
from app.domain.mail.letter_bytes import compose
from app.outbound.email.smtp import Mailer, SmtpResult
from tests.domain.mail.test_letter_bytes import HOME, LETTER
from tests.outbound.email.mailboxes import a_mail_server

MAILS = 10_000
IN_FLIGHT = 64
PLAIN_HEADERS = (
    "Message-ID", "Date", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Feedback-ID", "Reply-To",
)  # fmt: skip


def letter(number: int) -> Letter:
    message_id, token = UUID(int=number + 1), f"{number:022d}"
    return replace(
        LETTER, message_id=message_id, to=Mailbox(f"p{number}@example.org", f"Jürgen der {number}."),
        envelope_sender=verp_address("bounces@example.com", message_id),
        survey_url=f"{HOME}/s/{token}", unsubscribe_url=f"{HOME}/u/{token}",
    )  # fmt: skip


@pytest.mark.slow
async def test_ten_thousand_mails_arrive_once_with_every_header_as_it_was_written() -> None:
    written: dict[str, bytes] = {}
    numbers = iter(range(MAILS))
    async with a_mail_server() as mailbox, Mailer(mailbox.server) as mailer:

        async def send_some() -> None:
            for number in numbers:
                one = letter(number)
                raw = written[one.to.email] = compose(one)
                outcome = await mailer.send(raw, envelope_sender=one.envelope_sender, to=one.to.email)
                assert outcome.result is SmtpResult.SENT

        started = perf_counter()
        await asyncio.gather(*(send_some() for _ in range(IN_FLIGHT)))
        seconds = perf_counter() - started
    print(f"{MAILS / seconds:.0f} mails/s, written and sent, both ends in one process")

    assert len(mailbox.mails) == MAILS
    assert {mail.rcpt_tos[0]: mail.content for mail in mailbox.mails} == written
    for number, mail in enumerate(sorted(mailbox.mails, key=lambda mail: int(mail.rcpt_tos[0][1:].partition("@")[0]))):
        expected = letter(number)
        head = bytes(mail.content or b"").partition(b"\r\n\r\n")[0]
        assert f"List-Unsubscribe: <{expected.unsubscribe_url}>\r\n".encode() in head
        assert message_of(mail.mail_from or "") == expected.message_id
        read = message_from_bytes(head + b"\r\n\r\n", policy=policy.compat32)
        assert [name for name in PLAIN_HEADERS if read[name] is None or "=?" in read[name]] == []
    assert mailbox.connections <= MAILS / 100 + 8
