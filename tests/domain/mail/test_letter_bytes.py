from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import cast
from uuid import UUID, uuid4

import pytest

from app.domain.mail.letter import LONGEST_PUBLIC_URL, Letter, Mailbox, Purpose, message_of, verp_address
from app.domain.mail.letter_body import html_of, plain_text_of
from app.domain.mail.letter_bytes import compose
from app.domain.scores.metric import NPS
from app.domain.survey.brand import Brand

TOKEN = "AAAAAAAAAAAAAAAAAAAAAA"
HOME = "https://" + "s" * (LONGEST_PUBLIC_URL - len("https://"))
LETTER = Letter(
    message_id=UUID(int=7),
    purpose=Purpose.FIRST,
    to=Mailbox("ada@example.org", "Ada Lovelace"),
    sender=Mailbox("surveys@example.com", "Northwind"),
    reply_to=Mailbox("help@example.com"),
    envelope_sender="bounces@example.com",
    sent_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    feedback_ids=("camp_1", "ws_1"),
    language="en",
    subject="How are we doing?",
    question="How likely are you to recommend Northwind to a friend or colleague?",
    metric=NPS,
    survey_url=f"{HOME}/s/{TOKEN}",
    unsubscribe_url=f"{HOME}/u/{TOKEN}",
    brand=Brand("Northwind"),
)


def read(letter: Letter) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(compose(letter), policy=policy.default))


def raw_headers(letter: Letter) -> list[bytes]:
    return compose(letter).partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_the_one_click_header_is_written_as_it_is_on_one_line() -> None:
    lines = raw_headers(LETTER)
    assert b"List-Unsubscribe: <" + LETTER.unsubscribe_url.encode() + b">" in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert len(LETTER.unsubscribe_url) == 76


def test_the_one_click_stays_short_where_the_link_leads_elsewhere() -> None:
    letter = replace(LETTER, leave_url=f"{HOME}/s/preview/{'x' * 100}?leave")
    assert b"List-Unsubscribe: <" + LETTER.unsubscribe_url.encode() + b">" in raw_headers(letter)
    assert LETTER.unsubscribe_url not in html_of(letter)
    assert str(letter.leave_url) in html_of(letter)
    assert f"Unsubscribe from surveys: {letter.leave_url}\n" in plain_text_of(letter)


def test_even_an_unsubscribe_url_that_is_too_long_is_not_rewritten() -> None:
    url = "https://" + "long-" * 40 + f"/u/{TOKEN}"
    assert f"List-Unsubscribe: <{url}>".encode() in raw_headers(replace(LETTER, unsubscribe_url=url))


def test_every_header_is_there() -> None:
    mail = read(LETTER)
    expected = {
        "From": "Northwind <surveys@example.com>",
        "To": "Ada Lovelace <ada@example.org>",
        "Reply-To": "help@example.com",
        "Subject": "How are we doing?",
        "Date": "Sun, 22 Nov 2026 09:30:00 +0000",
        "Message-ID": "<00000000000000000000000000000007@example.com>",
        "Feedback-ID": "camp_1:ws_1:nps:zeroten",
        "Auto-Submitted": "auto-generated",
    }
    assert {name: str(mail[name]) for name in expected} == expected


def test_texts_in_other_scripts_arrive_and_no_line_is_too_long() -> None:
    subject, name = "ما مدى احتمال أن توصي بنا لصديق أو زميل؟ " * 5, "نورث ويند " * 12
    letter = replace(LETTER, subject=subject.strip(), sender=Mailbox("surveys@example.com", name.strip()))
    mail = message_from_bytes(compose(letter), policy=policy.compat32)
    assert str(make_header(decode_header(mail["Subject"]))) == letter.subject
    assert str(make_header(decode_header(mail["From"]))) == f"{letter.sender.name} <surveys@example.com>"
    assert max(map(len, compose(letter).split(b"\r\n"))) <= 998
    encoded = [word for line in raw_headers(letter) for word in line.split() if word.startswith(b"=?")]
    assert encoded
    assert max(map(len, encoded)) <= 75  # RFC 2047


def test_a_subject_cannot_bring_headers_of_its_own() -> None:
    letter = replace(LETTER, subject="Hi\r\nBcc: eve@example.org", to=Mailbox("ada@example.org", "A\r\nBcc: eve"))
    assert read(letter)["Bcc"] is None
    assert read(letter)["Subject"] == "Hi Bcc: eve@example.org"


def test_what_looks_encoded_is_read_as_it_was_written() -> None:
    name = "=?utf-8?b?4oCuZXRlbGVk?="
    letter = replace(LETTER, subject=f"Hi {name}!", to=Mailbox("ada@example.org", name))
    assert read(letter)["Subject"] == f"Hi {name}!"
    assert read(letter)["To"].addresses[0].display_name == name


def test_domains_are_written_in_ascii_and_local_parts_as_they_are() -> None:
    mail = compose(replace(LETTER, to=Mailbox("jürgen@bücher.example", "Jürgen")))
    assert " <jürgen@xn--bcher-kva.example>\r\n".encode() in mail
    plain = compose(replace(LETTER, to=Mailbox("j@bücher.example", "Jürgen")))
    assert b"<j@xn--bcher-kva.example>" in plain
    assert plain.partition(b"\r\n\r\n")[0].isascii()


def test_the_plain_text_has_a_link_for_every_score() -> None:
    part = read(LETTER).get_body(("plain",))
    assert part is not None
    text = part.get_content()
    assert [f"{LETTER.survey_url}?score={score}" in text for score in range(11)] == [True] * 11


def test_a_bounce_says_which_mail_it_is_about() -> None:
    message_id = uuid4()
    address = verp_address("bounces@example.com", message_id)
    assert message_of(address) == message_id
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.parametrize("address", ["bounces@example.com", "bounces+ada@example.com", "b+" + "x" * 32 + "@e.com", ""])
def test_an_address_of_somebody_elses_names_no_mail(address: str) -> None:
    assert message_of(address) is None


@pytest.mark.parametrize("language", ["en", "ar", "ja"])
def test_both_bodies_arrive_as_they_were_written(language: str) -> None:
    letter = replace(LETTER, language=language, intro=".\n..\n=41 \t\n" + "x" * 300 + "é" * 100 + " \n\nFrom here")
    mail = read(letter)
    bodies = {part.get_content_subtype(): part for part in mail.iter_parts()}
    assert [*bodies] == ["plain", "html"]
    assert bodies["plain"].get_content().splitlines() == plain_text_of(letter).splitlines()
    assert bodies["html"].get_content().splitlines() == html_of(letter).splitlines()
    raw = compose(letter)
    assert max(map(len, raw.split(b"\r\n"))) <= 200
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    assert compose(letter) == raw
