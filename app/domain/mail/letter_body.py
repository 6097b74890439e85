"""What a letter reads like: as HTML, and as plain text that says the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.domain.mail.letter import Letter, Purpose
from app.domain.mail.letter_words import Words, words_in
from app.domain.scores.metric import MetricKey
from app.domain.survey.language import direction
from app.domain.survey.logo import MAIL_BOX
from app.domain.survey.survey_link import HONEYPOT

FOLDER = Path(__file__).parents[2] / "pages" / "mail"  # part of the program, as its sources are
LONGEST_HTML = 20_000  # bytes; mail programs cut off what is much longer


@dataclass(frozen=True, slots=True)
class Choice:
    url: str
    text: str
    label: str  # where the text alone does not say enough


def html_of(letter: Letter) -> str:
    language, words = words_in(letter.language)
    choices = list(_choices(letter, words))
    lowest, highest = _ends(letter, words)
    return _template().render(
        language=letter.language,
        direction=direction(letter.language),
        words=words,
        words_language=language,
        words_direction=direction(language),
        subject=letter.subject,
        preheader=words["preheader"],
        brand=letter.brand,
        logo=_logo(letter),
        accent_ink=letter.brand.ink,
        paragraphs=_paragraphs(letter.intro),
        question=letter.question,
        choices=choices,
        width=100 // len(choices),
        lowest_label=_end(letter.metric.lowest, lowest),
        highest_label=_end(letter.metric.highest, highest),
        how=_how(letter, words),
        test=words["test"] if letter.purpose is Purpose.TEST else "",
        reason=_reason(letter, words),
        postal_address=(letter.brand.postal_address or "").splitlines(),
        unsubscribe_url=letter.leave_url or letter.unsubscribe_url,
        honeypot_url=f"{letter.survey_url}?{HONEYPOT}" if letter.has_honeypot else None,
    )


def _logo(letter: Letter) -> Mapping[str, Any] | None:
    """As large as it is shown: a mail program that loads no picture leaves that much room for its words."""
    logo = letter.brand.logo
    if logo is None or letter.logo_url is None:
        return None
    width, height = logo.fitted(MAIL_BOX)
    return {"url": letter.logo_url, "width": width, "height": height, "is_see_through": logo.is_see_through}


def plain_text_of(letter: Letter) -> str:
    _, words = words_in(letter.language)
    links = (f"{choice.label or choice.text}: {choice.url}" for choice in _choices(letter, words))
    parts = (
        letter.brand.name,
        letter.intro,
        letter.question,
        words["answer_below"],
        "\n".join(links),
        "-- ",
        words["test"] if letter.purpose is Purpose.TEST else None,
        _reason(letter, words),
        letter.brand.postal_address,
        f"{words['unsubscribe']}: {letter.leave_url or letter.unsubscribe_url}",
    )
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _choices(letter: Letter, words: Words) -> Iterator[Choice]:
    lowest, highest = _ends(letter, words)
    metric = letter.metric
    names = {metric.lowest: lowest, metric.highest: highest}
    for score in metric.scores:
        url = letter.score_url(score)
        match metric.key:
            case MetricKey.THUMBS:
                own = letter.highest_label if score else letter.lowest_label
                yield Choice(url, own or words["highest_thumbs" if score else "lowest_thumbs"], "")
            case MetricKey.STARS:
                yield Choice(url, f"{score} ★", words["stars"].format(count=score))
            case _:
                yield Choice(url, str(score), _end(score, names.get(score, "")))


def _ends(letter: Letter, words: Words) -> tuple[str, str]:
    """What the ends of the scale mean. Those of stars and thumbs go without saying."""
    metric = letter.metric
    lowest = letter.lowest_label or words.get(f"lowest_{metric.key}", "")
    highest = letter.highest_label or words.get(f"highest_{metric.key}", "")
    return ("", "") if metric.key is MetricKey.THUMBS else (lowest, highest)


def _end(score: int, label: str) -> str:
    return f"{score} – {label}" if label else ""


def _how(letter: Letter, words: Words) -> str:
    return words["tap" if letter.metric.key in {MetricKey.THUMBS, MetricKey.STARS} else "tap_number"]


def _reason(letter: Letter, words: Words) -> str:
    return words["why"].format(brand=letter.brand.name)


def _paragraphs(text: str | None) -> list[list[str]]:
    """Each as its lines."""
    return [part.strip().splitlines() for part in (text or "").split("\n\n") if part.strip()]


@cache
def _template() -> Template:
    loader = FileSystemLoader(FOLDER)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("letter.html")
