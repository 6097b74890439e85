import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.domain.asking.asking_parts import LONGEST_SUBJECT
from app.domain.asking.asking_parts import LONGEST_TEXT as LONGEST_INTRO
from app.domain.mail.letter import Purpose
from app.domain.mail.letter_body import LONGEST_HTML, html_of, plain_text_of
from app.domain.mail.letter_bytes import compose
from app.domain.mail.letter_words import all_words, words_in
from app.domain.scores.metric import METRICS, NPS, Metric
from app.domain.survey.brand import LONGEST_ADDRESS, LONGEST_NAME, Brand
from app.domain.survey.colour import READABLE, contrast
from app.domain.survey.logo import Logo
from app.domain.survey.question_rules import LONGEST_LABEL
from app.domain.survey.survey_link import HONEYPOT
from app.domain.survey.survey_texts import LONGEST_TEXT
from tests.domain.mail.test_letter_bytes import LETTER, TOKEN

CUT_OFF_AT = 102_400  # bytes of HTML, by Gmail
SPOKEN = ("en", "de", "fr", "es", "pt-BR", "it", "nl", "ar", "ja")


class Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == "href" and value]


@pytest.mark.parametrize("language", SPOKEN)
def test_every_language_has_every_word_and_the_same_places_to_fill(language: str) -> None:
    plain, words = all_words()["en"], all_words()[language]
    assert words.keys() == plain.keys()
    places = {name: re.findall(r"{\w+}", text) for name, text in words.items()}
    assert places == {name: re.findall(r"{\w+}", text) for name, text in plain.items()}


@pytest.mark.parametrize(
    ("asked", "found"), [("de", "de"), ("de-AT", "de"), ("pt", "pt-BR"), ("pt-PT", "pt-BR"), ("fi", "en"), ("", "en")]
)
def test_a_language_we_do_not_speak_falls_back_to_its_base_and_then_to_english(asked: str, found: str) -> None:
    assert words_in(asked)[0] == found


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
@pytest.mark.parametrize("language", SPOKEN)
def test_every_score_of_every_metric_has_one_link_and_both_bodies_have_the_same(metric: Metric, language: str) -> None:
    letter = replace(
        LETTER,
        metric=metric,
        language=language,
        intro="Hi,\n\nthank you.",
        brand=Brand("Northwind", postal_address="A\nB"),
    )
    wanted = [letter.score_url(score) for score in metric.scores] + [letter.unsubscribe_url]
    html, text = html_of(letter), plain_text_of(letter)
    assert Links(html).found == wanted
    assert re.findall(r"https://\S+", text) == wanted
    assert len(html.encode()) < LONGEST_HTML


def test_texts_are_shown_and_never_read_as_html() -> None:
    hostile = "<b>&\"'</b>{{ 7 * 7 }}"
    letter = replace(LETTER, subject=hostile, intro=hostile, question=hostile, brand=Brand(hostile))
    html = html_of(letter)
    assert "<b>" not in html
    assert html.count("&lt;b&gt;") >= 5
    assert "49" not in html


def test_the_ends_of_the_scale_say_what_they_mean() -> None:
    html = html_of(replace(LETTER, language="de"))
    assert 'aria-label="0 – Überhaupt nicht wahrscheinlich"' in html
    own = html_of(replace(LETTER, lowest_label="Never", highest_label="Always"))
    assert 'aria-label="0 – Never"' in own
    assert 'aria-label="10 – Always"' in own


def test_a_test_says_that_it_is_one() -> None:
    said = words_in("en")[1]["test"]
    assert said not in html_of(LETTER)
    assert said not in plain_text_of(LETTER)
    letter = replace(LETTER, purpose=Purpose.TEST)
    assert said in html_of(letter)
    assert said in plain_text_of(letter)


def test_nothing_is_loaded_but_a_logo_that_was_asked_for() -> None:
    loads = re.compile(r"<(?:img|link|script|iframe)[^>]*>|url\(|@import")
    assert loads.findall(html_of(LETTER)) == []
    brand = Brand("Northwind", logo=Logo("/s/logos/1/2.png", 300, 300, is_see_through=False))
    (image,) = loads.findall(html_of(replace(LETTER, brand=brand, logo_url="https://example.com/s/logos/1/2.png")))
    assert 'src="https://example.com/s/logos/1/2.png" alt="Northwind" width="40" height="40"' in image


def test_a_link_that_nobody_sees_is_there_only_if_it_was_turned_on() -> None:
    trap = f"{LETTER.survey_url}?{HONEYPOT}"
    assert trap not in html_of(LETTER) + plain_text_of(LETTER)
    html = html_of(replace(LETTER, has_honeypot=True))
    assert f'<a href="{trap}" aria-hidden="true" tabindex="-1" style="display:none' in html
    assert trap not in plain_text_of(replace(LETTER, has_honeypot=True))


def test_even_the_longest_texts_are_not_cut_off() -> None:
    """In a script of three bytes for each letter."""
    intro, question, subject = "語" * LONGEST_INTRO, "問" * LONGEST_TEXT, "題" * LONGEST_SUBJECT
    brand = Brand(
        "店" * LONGEST_NAME, postal_address="所" * LONGEST_ADDRESS, privacy_url="https://example.com/" + "p" * 200
    )
    labels = {"lowest_label": "低" * LONGEST_LABEL, "highest_label": "高" * LONGEST_LABEL}
    letter = replace(LETTER, language="ja", subject=subject, intro=intro, question=question, brand=brand, **labels)
    assert len(html_of(letter).encode()) < CUT_OFF_AT / 2  # names that are filled in make it longer
    assert len(compose(letter)) < 2 * CUT_OFF_AT


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("#1b1d26", "#ffffff"), ("#545d6e", "#ffffff"), ("#545d6e", "#f4f6fb"), ("#1b1d26", "#e8ecf6"),
        ("#f2f4f8", "#1b1d26"), ("#aab2c0", "#1b1d26"), ("#aab2c0", "#0f1115"), ("#f2f4f8", "#2f3444"),
    ],
)  # fmt: skip
def test_whatever_is_written_can_be_read(text: str, back: str) -> None:
    html = html_of(LETTER)
    assert f"color:{text}" in html
    assert f"background-color:{back}" in html
    assert contrast(text, back) >= READABLE


def test_no_other_colours_are_written_with() -> None:
    written = set(re.findall(r"(?<!-)color:(#[0-9a-f]{6})", html_of(replace(LETTER, intro="Hi", purpose=Purpose.TEST))))
    assert written == {"#1b1d26", "#545d6e", "#f2f4f8", "#aab2c0", "#ffffff"}  # white on the accent


def test_a_letter_without_anything_optional_reads_well() -> None:
    text = plain_text_of(replace(LETTER, metric=NPS))
    assert "None" not in text
    assert f"0 – Not at all likely: https://{'s' * 43}/s/{TOKEN}?score=0" in text
    assert "You received this because Northwind would like to know what you think." in text
