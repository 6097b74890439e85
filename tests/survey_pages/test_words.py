"""What pages say of their own accord."""

import re
import string

import pytest

from app.api.pages import PAGES
from app.api.public.survey.forms import sign_in
from app.api.public.survey.words import NAMES, all_words, name_of, words_for
from app.domain.survey.survey_link import Sign

PLAIN = all_words()["en"]
TEMPLATES = "".join(path.read_text() for path in PAGES.glob("survey/*.html"))
SOURCES = "".join(path.read_text() for path in PAGES.parent.joinpath("api", "public").rglob("*.py"))


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_we_speak_nine_languages() -> None:
    assert set(all_words()) >= {"en", "de", "fr", "es", "pt-BR", "it", "nl", "ar", "ja"}


@pytest.mark.parametrize("language", all_words())
def test_every_language_says_everything(language: str) -> None:
    words = all_words()[language]
    assert list(words) == list(PLAIN)
    assert all(text.strip() == text and text for text in words.values())
    assert {name: fields(text) for name, text in words.items()} == {name: fields(text) for name, text in PLAIN.items()}


@pytest.mark.parametrize("name", PLAIN)
def test_every_word_is_said_somewhere(name: str) -> None:
    said = f"words.{name}" in TEMPLATES or re.search(rf"[\"']{name.removesuffix('_text')}(_text)?[\"']", SOURCES)
    assert said or name.startswith(("lowest_", "highest_"))


@pytest.mark.parametrize(
    ("language", "spoken"),
    [("de", "de"), ("de-AT", "de"), ("pt-PT", "pt-BR"), ("pt", "pt-BR"), ("sv", "en"), ("zh-Hant-HK", "en")],
)
def test_the_nearest_language_is_spoken(language: str, spoken: str) -> None:
    assert words_for(language).language == spoken


def test_languages_are_called_what_their_speakers_call_them() -> None:
    assert (name_of("de"), name_of("pl"), name_of("xx-Latn")) == ("Deutsch", "Polski", "xx-Latn")
    assert set(NAMES).isdisjoint(all_words())


def test_a_script_cannot_say_that_a_form_was_sent() -> None:
    assert sign_in("send") is None
    assert sign_in("gesture") is Sign.GESTURE
