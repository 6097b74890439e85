"""What further questions must be like to be saved: well formed, and each of them asked of somebody."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from app.domain.pointer import json_pointer
from app.domain.scores.metric import Metric
from app.domain.survey.question_paths import can_be_reached
from app.domain.survey.questions import OF_BAND, OF_SCORE, Condition, Question, QuestionKind
from app.domain.survey.survey_texts import LONGEST_TEXT, Fault, text_faults

MOST_QUESTIONS = 30
MOST_OPTIONS = 50
MOST_CONDITIONS = 20
LONGEST_OPTION = 200  # characters
LONGEST_LABEL = 100
LONGEST_SCALE = 11  # values, as of 0 to 10
STABLE_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED = frozenset({OF_SCORE, OF_BAND, "comment"})

_WITH_OPTIONS = (QuestionKind.ONE_OF, QuestionKind.MANY_OF)


def question_faults(questions: Sequence[Question], *, languages: Collection[str], metric: Metric) -> Iterator[Fault]:
    if len(questions) > MOST_QUESTIONS:
        yield Fault("/questions", f"A survey has at most {MOST_QUESTIONS} further questions.")
        return
    for at, question in enumerate(questions):
        where = json_pointer("questions", at)
        found = [
            *_id_faults(question, questions[:at]),
            *_option_faults(question),
            *_scale_faults(question),
            *_condition_faults(questions, at, metric=metric),
        ]
        yield from (Fault(where + fault.pointer, fault.detail) for fault in found)
        for pointer, texts in question.texts:
            yield from text_faults(texts, where + pointer, languages, longest=_longest(pointer))
        if not found and not can_be_reached(questions, at, metric=metric):
            yield Fault(f"{where}/show_if", "Nobody can get here: these conditions never hold together.")


def _longest(pointer: str) -> int:
    if pointer == "/text":
        return LONGEST_TEXT
    return LONGEST_OPTION if pointer.startswith("/options") else LONGEST_LABEL


def _id_faults(question: Question, earlier: Sequence[Question]) -> Iterator[Fault]:
    if not STABLE_ID.fullmatch(question.id):
        yield Fault("/id", "An id is a small letter, then small letters, digits and underscores; 40 at most.")
    elif question.id in RESERVED:
        yield Fault("/id", f"{question.id} names something else already.")
    elif any(question.id == one.id for one in earlier):
        yield Fault("/id", f"Another question has the id {question.id}.")


def _option_faults(question: Question) -> Iterator[Fault]:
    if question.kind not in _WITH_OPTIONS:
        if question.options:
            yield Fault("/options", f"A question of kind {question.kind} has no options.")
        return
    if not 2 <= len(question.options) <= MOST_OPTIONS:
        yield Fault("/options", f"Give 2 to {MOST_OPTIONS} options.")
    for at, option in enumerate(question.options):
        if not STABLE_ID.fullmatch(option.id):
            yield Fault(f"/options/{at}/id", "An id is a small letter, then small letters, digits and underscores.")
        if option.id in question.option_ids[:at]:
            yield Fault(f"/options/{at}/id", f"Another option has the id {option.id}.")


def _scale_faults(question: Question) -> Iterator[Fault]:
    scale = question.scale
    if (scale is not None) != (question.kind is QuestionKind.SCALE):
        yield Fault("/scale", "A question of kind scale has a scale, and no other has one.")
    elif scale is not None and not (0 <= scale.lowest < scale.highest and len(scale.values) <= LONGEST_SCALE):
        yield Fault("/scale", f"A scale goes up from 0 or more, in at most {LONGEST_SCALE} steps.")


def _condition_faults(questions: Sequence[Question], at: int, *, metric: Metric) -> Iterator[Fault]:
    show_if = questions[at].show_if
    if show_if is None:
        return
    if bool(show_if.all) == bool(show_if.any) or len(show_if.conditions) > MOST_CONDITIONS:
        yield Fault("/show_if", f"Give either all or any, with 1 to {MOST_CONDITIONS} conditions.")
        return
    earlier = {question.id: question for question in questions[:at]}
    later = {question.id for question in questions[at:]}
    way = "all" if show_if.all else "any"
    for place, condition in enumerate(show_if.conditions):
        where = f"/show_if/{way}/{place}"
        if condition.of in later:
            yield Fault(f"{where}/of", f"{condition.of} comes later or is this question itself; look back only.")
        else:
            yield from _one_condition(condition, where, earlier, metric)


def _one_condition(
    condition: Condition, where: str, earlier: Mapping[str, Question], metric: Metric
) -> Iterator[Fault]:
    if condition.of == OF_SCORE:
        yield from _range_faults(condition, where, metric.scores)
    elif condition.of == OF_BAND:
        bands = [band.value for band, scores in metric.scores_by_band().items() if scores]
        yield from _word_faults(condition, where, bands)
    elif condition.of not in earlier:
        yield Fault(f"{where}/of", f"There is no question with the id {condition.of}.")
    elif earlier[condition.of].kind in _WITH_OPTIONS:
        yield from _word_faults(condition, where, earlier[condition.of].option_ids)
    elif (scale := earlier[condition.of].scale) is not None:
        yield from _range_faults(condition, where, scale.values)
    else:
        yield Fault(f"{where}/of", "A free text cannot be compared.")


def _word_faults(condition: Condition, where: str, words: Sequence[str]) -> Iterator[Fault]:
    if condition.at_least is not None or condition.at_most is not None or not condition.any_of:
        yield Fault(where, f"Of {condition.of}, say any_of.")
    for at, word in enumerate(condition.any_of):
        if word not in words:
            yield Fault(f"{where}/any_of/{at}", f"{condition.of} is one of {', '.join(words)}.")


def _range_faults(condition: Condition, where: str, values: range) -> Iterator[Fault]:
    if condition.any_of or (condition.at_least is None and condition.at_most is None):
        yield Fault(where, f"Of {condition.of}, say at_least, at_most, or both.")
    elif not any(condition.holds(value) for value in values):
        yield Fault(where, f"{condition.of} goes from {values[0]} to {values[-1]}: this never holds.")
