"""What a campaign asks and says, per language. Stored as JSON of exactly this shape.

The question is needed in every language; a follow-up and a thank-you per band are welcome. Where a language lacks one,
nothing is shown in its place: half a survey in the wrong language is worse than a short one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Self
from urllib.parse import urlsplit

from app.domain.errors import RuleViolation
from app.domain.metric import Band, Metric
from app.domain.pointer import json_pointer

LONGEST_TEXT = 1_000  # characters
LONGEST_LINK = 2_000
MOST_LANGUAGES = 50
MOST_FAULTS_LISTED = 50
# BCP 47 as far as surveys need it: language, script, region (pt, pt-BR, zh-Hant, zh-Hant-HK, es-419).
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


class SurveyInvalid(RuleViolation):
    """Survey breaks a rule."""

    code = "survey_invalid"


class SurveyIncomplete(RuleViolation):
    """Survey has no question in one of its languages."""

    code = "survey_incomplete"


class SurveyChangeMissing(RuleViolation):
    """Nobody said what the change of the survey is."""

    code = "survey_change_missing"


class SurveyChange(StrEnum):
    """What the author of a version says it is: only a new wording can move the score by itself."""

    FIRST = "first"
    TYPO = "typo"
    WORDING = "wording"


@dataclass(frozen=True, slots=True)
class ThankYou:
    text: str
    link: str | None = None  # https: a review site, a referral, a reward


@dataclass(frozen=True, slots=True)
class Survey:
    """`follow_up` and `thank_you` are keyed by band, then by language."""

    default_language: str
    languages: tuple[str, ...]
    question: Mapping[str, str] = field(default_factory=dict)
    follow_up: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    thank_you: Mapping[str, Mapping[str, ThankYou]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote, or input whose types were checked; rules are checked by `check_survey`."""
        thank_you = {
            band: {language: ThankYou(said["text"], said.get("link")) for language, said in by_language.items()}
            for band, by_language in (content.get("thank_you") or {}).items()
        }
        return cls(
            content["default_language"],
            tuple(content["languages"]),
            dict(content.get("question") or {}),
            {band: dict(texts) for band, texts in (content.get("follow_up") or {}).items()},
            thank_you,
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "languages": list(self.languages)}


@dataclass(frozen=True, slots=True)
class Fault:
    """`pointer` is a JSON pointer into the survey."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """`missing` names texts, such as `question` or `follow_up.detractor`, that the default language has.

    A question counts as missing wherever it is, also in the default language.
    """

    is_complete: bool
    missing: tuple[str, ...]


def check_survey(survey: Survey, *, metric: Metric, at: str = "/survey") -> None:
    """Whatever is there must be sound; a draft may still lack texts. `at` is where the survey stands in the request.

    Raises SurveyInvalid listing the faults.
    """
    faults = list(islice(_faults(survey, metric=metric), MOST_FAULTS_LISTED))
    if faults:
        others = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        errors = [{"in": "body", "pointer": at + fault.pointer, "detail": fault.detail} for fault in faults]
        raise SurveyInvalid(faults[0].detail + others, errors=errors)


def check_questions(survey: Survey, *, at: str = "/survey") -> None:
    """What a launch needs beside `check_survey`. Raises SurveyIncomplete."""
    lacking = [language for language in survey.languages if language not in survey.question]
    if lacking:
        detail = f"The question is missing in {', '.join(lacking)}."
        raise SurveyIncomplete(detail, pointer=f"{at}/question/{lacking[0]}", languages=lacking)


def completeness(survey: Survey) -> dict[str, Completeness]:
    """Per language, in the survey's order."""
    wanted = ["question", *(name for name in _texts_in(survey, survey.default_language) if name != "question")]
    found: dict[str, Completeness] = {}
    for language in survey.languages:
        here = set(_texts_in(survey, language))
        missing = tuple(name for name in wanted if name not in here)
        found[language] = Completeness(not missing, missing)
    return found


def pick_language(survey: Survey, *, wanted: str | None) -> str:
    """The language itself, else the nearest broader one (pt-BR → pt), else a sibling (pt-PT), else the default."""
    tag = wanted or ""
    while tag:
        if tag in survey.languages:
            return tag
        tag = tag.rpartition("-")[0]
    base = (wanted or "").partition("-")[0]
    siblings = (language for language in survey.languages if base and language.partition("-")[0] == base)
    return next(siblings, survey.default_language)


def _texts_in(survey: Survey, language: str) -> list[str]:
    names = ["question"] if language in survey.question else []
    for part, by_band in (("follow_up", survey.follow_up), ("thank_you", survey.thank_you)):
        names += [f"{part}.{band}" for band in Band if language in by_band.get(band, {})]
    return names


def _faults(survey: Survey, *, metric: Metric) -> Iterator[Fault]:
    yield from _language_faults(survey)
    yield from _texts_faults(survey.question, "/question", survey)
    bands = [band for band, scores in metric.scores_by_band().items() if scores]
    for part, by_band in (("follow_up", survey.follow_up), ("thank_you", survey.thank_you)):
        for band, by_language in by_band.items():
            if band not in bands:
                yield Fault(json_pointer(part, band), f"{metric.name} has the bands {', '.join(bands)}.")
            texts = {key: said.text if isinstance(said, ThankYou) else said for key, said in by_language.items()}
            yield from _texts_faults(texts, json_pointer(part, band), survey)
    yield from _link_faults(survey)


def _language_faults(survey: Survey) -> Iterator[Fault]:
    for at, language in enumerate(survey.languages):
        if not LANGUAGE.fullmatch(language):
            yield Fault(f"/languages/{at}", "Name languages like en, pt-BR or zh-Hant.")
        if language in survey.languages[:at]:
            yield Fault(f"/languages/{at}", f"{language} is listed twice.")
    if len(survey.languages) > MOST_LANGUAGES:
        yield Fault("/languages", f"A survey has at most {MOST_LANGUAGES} languages.")
    if survey.default_language not in survey.languages:
        yield Fault("/default_language", "The default language is one of the survey's languages.")


def _texts_faults(texts: Mapping[str, str], pointer: str, survey: Survey) -> Iterator[Fault]:
    for language, text in texts.items():
        where = pointer + json_pointer(language)
        if language not in survey.languages:
            yield Fault(where, f"{language} is not one of the survey's languages.")
        if not text.strip():
            yield Fault(where, "The text is empty; leave it out instead.")
        if len(text) > LONGEST_TEXT:
            yield Fault(where, f"The text has at most {LONGEST_TEXT} characters.")
        if "{" in text or "}" in text:
            yield Fault(where, "Plain text only: a placeholder in braces would be shown as it stands.")
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
            yield Fault(where, "The text holds a control character.")


def _link_faults(survey: Survey) -> Iterator[Fault]:
    for band, by_language in survey.thank_you.items():
        for language, said in by_language.items():
            if said.link is not None and not _is_safe_link(said.link):
                detail = f"A link begins with https://, names a host and has at most {LONGEST_LINK} characters."
                yield Fault(json_pointer("thank_you", band, language, "link"), detail)


def _is_safe_link(link: str) -> bool:
    if len(link) > LONGEST_LINK or not link.isprintable() or any(letter in " \"'<>\\" for letter in link):
        return False
    try:
        parts = urlsplit(link)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # a bracket or a port that makes no sense
        return False
