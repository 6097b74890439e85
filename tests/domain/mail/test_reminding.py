"""A reminder does not read like the first mail once more."""

from dataclasses import replace

import pytest

from app.domain.mail.invitation_letter import reminding
from app.domain.mail.letter import Mailbox
from app.domain.mail.letter_body import html_of, plain_text_of
from app.domain.mail.letter_words import all_words
from tests.domain.mail.test_letter_bytes import LETTER

FIRST = replace(LETTER, intro="You bought something last week.")


def test_a_reminder_says_that_it_is_one() -> None:
    reminder = reminding(FIRST)

    assert reminder.subject == "Reminder: How are we doing?"
    assert reminder.intro == (
        "Hello Ada Lovelace,\n\nWe asked you a few days ago and would still like to know. One tap is enough."
    )
    for body in (html_of(reminder), plain_text_of(reminder)):
        assert "We asked you a few days ago" in body
        assert "You bought something" not in body


def test_whoever_has_no_name_is_greeted_all_the_same() -> None:
    intro = reminding(replace(FIRST, to=Mailbox("ada@example.org"))).intro or ""

    assert intro.startswith("Hello,\n\n")


@pytest.mark.parametrize("language", all_words())
def test_it_is_in_the_language_of_the_mail(language: str) -> None:
    reminder = reminding(replace(FIRST, language=language))

    assert all_words()[language]["reminder"] in (reminder.intro or "")
    assert reminder.subject != FIRST.subject
    assert FIRST.subject in reminder.subject


def test_a_relative_of_a_language_will_do() -> None:
    assert reminding(replace(FIRST, language="de-AT")).subject == "Erinnerung: How are we doing?"


def test_in_a_language_that_has_no_words_of_ours_it_reads_like_the_first() -> None:
    finnish = replace(FIRST, language="fi")

    assert reminding(finnish) == finnish
