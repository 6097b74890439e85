"""Further questions of a survey, beside the one that is scored, and which of them a person is asked.

A question may depend on the score, its band, and on answers to questions before it: `show_if`. Nothing can depend on a
later question, so there are no loops. Ids are stable: answers and results go by them, whatever the texts become.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from app.domain.scores.metric import Metric

OF_SCORE, OF_BAND = "score", "band"

Answer = str | int | Sequence[str] | None  # text or option id, scale value, option ids; None: passed over
Texts = Mapping[str, str]  # by language


class QuestionKind(StrEnum):
    TEXT = "text"
    ONE_OF = "one_of"
    MANY_OF = "many_of"
    SCALE = "scale"


@dataclass(frozen=True, slots=True)
class Condition:
    """Of the score, the band, or an earlier question (`of`): one of these words or options, or a number in a range."""

    of: str
    any_of: tuple[str, ...] = ()
    at_least: int | None = None
    at_most: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"any_of": list(self.any_of)}

    def holds(self, given: Answer) -> bool:
        match given:
            case int():
                return (self.at_least is None or given >= self.at_least) and (
                    self.at_most is None or given <= self.at_most
                )
            case str():
                return given in self.any_of
            case None:
                return False
            case _:
                return not set(self.any_of).isdisjoint(given)


@dataclass(frozen=True, slots=True)
class ShowIf:
    """All of the conditions hold, or any of them: one of the two lists is empty."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.all or self.any

    def holds(self, known: Mapping[str, Answer]) -> bool:
        met = (condition.holds(known.get(condition.of)) for condition in self.conditions)
        return all(met) if self.all else any(met)


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    text: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scale:
    lowest: int
    highest: int
    lowest_label: Texts = field(default_factory=dict)
    highest_label: Texts = field(default_factory=dict)

    @property
    def values(self) -> range:
        return range(self.lowest, self.highest + 1)


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    kind: QuestionKind
    text: Texts = field(default_factory=dict)
    options: tuple[Option, ...] = ()  # of one_of and many_of
    scale: Scale | None = None  # of scale
    is_required: bool = False
    show_if: ShowIf | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        scale, show_if = content.get("scale"), content.get("show_if")
        return cls(
            content["id"],
            QuestionKind(content["kind"]),
            dict(content.get("text") or {}),
            tuple(Option(option["id"], dict(option.get("text") or {})) for option in content.get("options") or ()),
            Scale(**scale) if scale else None,
            bool(content.get("is_required")),
            ShowIf(**{way: _conditions(show_if.get(way)) for way in ("all", "any")}) if show_if else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Only lists and objects, as it comes back from JSON."""
        content = asdict(self) | {"options": [asdict(option) for option in self.options]}
        if self.show_if is not None:
            ways = (("all", self.show_if.all), ("any", self.show_if.any))
            content["show_if"] = {way: [condition.to_json() for condition in given] for way, given in ways}
        return content

    @property
    def option_ids(self) -> list[str]:
        return [option.id for option in self.options]

    @property
    def texts(self) -> Iterator[tuple[str, Texts]]:
        """(JSON pointer within the question, texts)"""
        yield "/text", self.text
        for at, option in enumerate(self.options):
            yield f"/options/{at}/text", option.text
        if self.scale is not None:
            yield "/scale/lowest_label", self.scale.lowest_label
            yield "/scale/highest_label", self.scale.highest_label

    @property
    def named_texts(self) -> Iterator[tuple[str, Texts]]:
        """(how a person would name it within the question, texts)"""
        names = ["", *(f".options.{option.id}" for option in self.options), ".lowest_label", ".highest_label"]
        yield from zip(names, (texts for _, texts in self.texts), strict=False)


def questions_to_ask(
    questions: Sequence[Question], *, metric: Metric, score: int, answers: Mapping[str, Answer]
) -> tuple[Question, ...]:
    """Those a person with this score meets, in order, as far as the answers given so far decide it.

    An answer to a question that is no longer asked decides nothing. Raises ScoreOutOfRange.
    """
    known: dict[str, Answer] = {OF_SCORE: score, OF_BAND: metric.band_for(score).value}
    asked = []
    for question in questions:
        if question.show_if is None or question.show_if.holds(known):
            asked.append(question)
            known[question.id] = answers.get(question.id)
    return tuple(asked)


def answers_asked_for(
    questions: Sequence[Question], *, metric: Metric, score: int, answers: Mapping[str, Answer]
) -> dict[str, Answer]:
    """Without what was answered on a way that the person has since left."""
    asked = questions_to_ask(questions, metric=metric, score=score, answers=answers)
    return {question.id: answers[question.id] for question in asked if answers.get(question.id) is not None}


def deciding(questions: Sequence[Question], question_id: str) -> set[str]:
    """The question itself, and those whose answers decide whether it is asked; also of several versions at once."""
    found, left = {question_id}, [question_id]
    while left:
        wanted = left.pop()
        asked_if = [question.show_if for question in questions if question.id == wanted and question.show_if]
        new = {condition.of for show_if in asked_if for condition in show_if.conditions} - found
        found |= new
        left += new
    return found


def _conditions(given: Sequence[Mapping[str, Any]] | None) -> tuple[Condition, ...]:
    return tuple(
        Condition(one["of"], tuple(one.get("any_of") or ()), one.get("at_least"), one.get("at_most"))
        for one in given or ()
    )
