"""What a campaign asks and says, per language. Stored as JSON of exactly this shape.

The question is needed in every language; a follow-up and a thank-you per band are welcome. Where a language lacks one,
nothing is shown in its place: half a survey in the wrong language is worse than a short one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Self

from app.domain.errors import RuleViolation
from app.domain.pointer import json_pointer
from app.domain.scores.metric import Band, Metric
from app.domain.survey.links import LONGEST_LINK, is_safe_link
from app.domain.survey.merge_fields import fields_in
from app.domain.survey.question_rules import LONGEST_LABEL, question_faults
from app.domain.survey.questions import Question, Texts
from app.domain.survey.survey_texts import Fault, text_faults

MOST_LANGUAGES = 50
MOST_FAULTS_LISTED = 50
# BCP 47 as far as surveys need it: language, script, region (pt, pt-BR, zh-Hant, zh-Hant-HK, es-419).
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


class SurveyInvalid(RuleViolation):
    """The survey is not valid."""

    code = "survey_invalid"


class SurveyIncomplete(RuleViolation):
    """The survey has no question in one of its languages."""

    code = "survey_incomplete"


class SurveyChangeMissing(RuleViolation):
    """The edit does not say what kind of change it is."""

    code = "survey_change_missing"


class SurveyChange(StrEnum):
    """What the author of a version says it is: only a new wording can move the score by itself."""

    FIRST = "first"
    TYPO = "typo"
    WORDING = "wording"


@dataclass(frozen=True, slots=True)
class ThankYou:
    text: str
    link: str | None = None  # https: a review site, a referral
    share_text: str | None = None  # ready to be sent on to a friend


@dataclass(frozen=True, slots=True)
class Survey:
    """`follow_up` and `thank_you` are keyed by band, then by language; `questions` come after the scored one.

    `lowest_label` and `highest_label` name the ends of its scale. `reward` introduces the code that everybody gets who
    answers: it knows no bands, because a reward for praise buys praise.
    """

    default_language: str
    languages: tuple[str, ...]
    question: Texts = field(default_factory=dict)
    follow_up: Mapping[str, Texts] = field(default_factory=dict)
    thank_you: Mapping[str, Mapping[str, ThankYou]] = field(default_factory=dict)
    lowest_label: Texts = field(default_factory=dict)
    highest_label: Texts = field(default_factory=dict)
    reward: Texts = field(default_factory=dict)
    questions: tuple[Question, ...] = ()

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote, or input whose types were checked; rules are checked by `check_survey`."""
        thank_you = {
            band: {language: ThankYou(**said) for language, said in by_language.items()}
            for band, by_language in (content.get("thank_you") or {}).items()
        }
        plain = ("question", "lowest_label", "highest_label", "reward")
        return cls(
            content["default_language"],
            tuple(content["languages"]),
            follow_up={band: dict(texts) for band, texts in (content.get("follow_up") or {}).items()},
            thank_you=thank_you,
            questions=tuple(Question.from_json(question) for question in content.get("questions") or ()),
            **{name: dict(content.get(name) or {}) for name in plain},
        )

    def to_json(self) -> dict[str, Any]:
        questions = [question.to_json() for question in self.questions]
        return {**asdict(self), "languages": list(self.languages), "questions": questions}


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
    """What a launch needs beside `check_survey`: all questions in all languages. Raises SurveyIncomplete."""
    lacking = [language for language in survey.languages if language not in survey.question]
    if lacking:
        detail = f"The question is missing in {', '.join(lacking)}."
        raise SurveyIncomplete(detail, pointer=f"{at}/question/{lacking[0]}", languages=lacking)
    for place, question in enumerate(survey.questions):
        for pointer, texts in question.texts:
            lacking = [language for language in survey.languages if language not in texts]
            if lacking and not pointer.startswith("/scale"):  # a scale can do without names for its ends
                detail = f"The question {question.id} lacks texts in {', '.join(lacking)}."
                where = f"{at}/questions/{place}{pointer}/{lacking[0]}"
                raise SurveyIncomplete(detail, pointer=where, languages=lacking)


def check_answered_alike(survey: Survey, asked: Iterable[Question], *, at: str = "/survey") -> None:
    """Answers to a question are counted together, whatever version asked it. `asked` are all there were. Raises
    SurveyInvalid.
    """
    kinds = {question.id: (question.kind, _values(question)) for question in asked}
    for place, question in enumerate(survey.questions):
        kind, values = kinds.get(question.id, (question.kind, _values(question)))
        if kind is not question.kind or values != _values(question):
            was = f"{kind} from {values[0]} to {values[-1]}" if values else kind
            detail = f"{question.id} was asked as {was} before. Give another question another id."
            raise SurveyInvalid(
                detail, pointer=f"{at}/questions/{place}/{'scale' if kind is question.kind else 'kind'}"
            )


def _values(question: Question) -> range | None:
    return question.scale.values if question.scale else None


def completeness(survey: Survey) -> dict[str, Completeness]:
    """Per language, in the survey's order."""
    wanted = {
        name: texts for name, texts in _named_texts(survey) if survey.default_language in texts or _is_needed(name)
    }
    found: dict[str, Completeness] = {}
    for language in survey.languages:
        missing = tuple(name for name, texts in wanted.items() if language not in texts)
        found[language] = Completeness(not missing, missing)
    return found


def _is_needed(name: str) -> bool:
    """In every language, also where the default one lacks it. A scale can do without names for its ends."""
    first, _, rest = name.partition(".")
    return first in {"question", "questions"} and rest.partition(".")[2] not in {"lowest_label", "highest_label"}


def fields_used(survey: Survey) -> frozenset[str]:
    """The merge fields in any of its texts: `name`, `property.plan`."""
    return fields_in(text for _, texts in _named_texts(survey) for text in texts.values())


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


def _named_texts(survey: Survey) -> Iterator[tuple[str, Texts]]:
    """Every text there is, under the name that completeness gives it."""
    yield "question", survey.question
    yield "lowest_label", survey.lowest_label
    yield "highest_label", survey.highest_label
    yield from ((f"follow_up.{band}", survey.follow_up.get(band, {})) for band in Band)
    for question in survey.questions:
        for name, texts in question.named_texts:
            yield f"questions.{question.id}{name}", texts
    for band in Band:
        said = survey.thank_you.get(band, {})
        yield f"thank_you.{band}", {language: one.text for language, one in said.items()}
        yield f"thank_you.{band}.share_text", _share_texts(said)
    yield "reward", survey.reward


def _share_texts(said: Mapping[str, ThankYou]) -> Texts:
    return {language: one.share_text for language, one in said.items() if one.share_text is not None}


def _faults(survey: Survey, *, metric: Metric) -> Iterator[Fault]:
    yield from _language_faults(survey)
    yield from text_faults(survey.question, "/question", survey.languages)
    for name, texts in (("lowest_label", survey.lowest_label), ("highest_label", survey.highest_label)):
        yield from text_faults(texts, f"/{name}", survey.languages, longest=LONGEST_LABEL)
    yield from text_faults(survey.reward, "/reward", survey.languages)
    yield from _band_faults(survey, metric=metric)
    yield from _link_faults(survey)
    yield from question_faults(survey.questions, languages=survey.languages, metric=metric)


def _band_faults(survey: Survey, *, metric: Metric) -> Iterator[Fault]:
    bands = [band for band, scores in metric.scores_by_band().items() if scores]
    for part, by_band in (("follow_up", survey.follow_up), ("thank_you", survey.thank_you)):
        for band in by_band:
            if band not in bands:
                yield Fault(json_pointer(part, band), f"{metric.name} has the bands {', '.join(bands)}.")
    for band, texts in survey.follow_up.items():
        yield from text_faults(texts, json_pointer("follow_up", band), survey.languages)
    for band, said in survey.thank_you.items():
        where = json_pointer("thank_you", band)
        yield from text_faults({language: one.text for language, one in said.items()}, where, survey.languages)
        for fault in text_faults(_share_texts(said), where, survey.languages):
            yield Fault(f"{fault.pointer}/share_text", fault.detail)


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


def _link_faults(survey: Survey) -> Iterator[Fault]:
    for band, by_language in survey.thank_you.items():
        for language, said in by_language.items():
            if said.link is not None and not is_safe_link(said.link):
                detail = f"A link begins with https://, names a host and has at most {LONGEST_LINK} characters."
                yield Fault(json_pointer("thank_you", band, language, "link"), detail)
