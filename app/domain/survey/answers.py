"""Answers to a survey's further questions: `{question id: text | option id | [option ids] | whole number}`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain.errors import RuleViolation
from app.domain.people.properties import UNSTORABLE
from app.domain.pointer import json_pointer
from app.domain.survey.questions import Answer, Question, QuestionKind

LONGEST_ANSWER = 10_000  # characters of a free text, as of a comment


class AnswersInvalid(RuleViolation):
    """The answers do not fit the survey's questions."""

    code = "answers_invalid"


def check_answers(
    questions: Sequence[Question], answers: Mapping[str, Any], *, at: str = "/answers"
) -> dict[str, Answer]:
    """What is to be kept of them: options in the order they are offered, None for what was passed over.

    Which questions were asked of this person is not looked at: an answer that was given, was given. `at` is where the
    answers stand in the request. Raises AnswersInvalid listing every fault.
    """
    known = {question.id: question for question in questions}
    errors = [
        {"in": "body", "pointer": at + json_pointer(key), "detail": detail}
        for key, answer in answers.items()
        for detail in _faults(known.get(key), answer)
    ]
    if errors:
        others = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
        raise AnswersInvalid(errors[0]["detail"] + others, errors=errors)
    return {key: _kept(known[key], answer) for key, answer in answers.items()}


def fitting_answers(questions: Sequence[Question], answers: Mapping[str, Any]) -> dict[str, Answer]:
    """As `check_answers`, but what does not fit is left out: from pages that may be older than the survey."""
    known = {question.id: question for question in questions}
    fits = {key: answer for key, answer in answers.items() if not any(_faults(known.get(key), answer))}
    return {key: _kept(known[key], answer) for key, answer in fits.items()}


def merged_answers(before: Mapping[str, Answer], later: Mapping[str, Answer]) -> dict[str, Answer]:
    """Question by question: what a later part leaves out stays, None takes away."""
    return {key: answer for key, answer in {**before, **later}.items() if answer is not None}


def _faults(question: Question | None, answer: object) -> Iterator[str]:
    if question is None:
        yield "The survey has no question with this id."
    elif answer is not None and not _fits(question, answer):
        yield _wanted(question)


def _fits(question: Question, answer: object) -> bool:
    match question.kind:
        case QuestionKind.TEXT:
            return isinstance(answer, str) and len(answer) <= LONGEST_ANSWER and not UNSTORABLE.search(answer)
        case QuestionKind.ONE_OF:
            return isinstance(answer, str) and answer in question.option_ids
        case QuestionKind.MANY_OF:
            return isinstance(answer, list | tuple) and all(one in question.option_ids for one in answer)
        case QuestionKind.SCALE:
            return type(answer) is int and question.scale is not None and answer in question.scale.values


def _wanted(question: Question) -> str:
    offered = ", ".join(question.option_ids)
    match question.kind:
        case QuestionKind.TEXT:
            return f"Give text of at most {LONGEST_ANSWER} characters."
        case QuestionKind.ONE_OF:
            return f"Give the id of one option: {offered}."
        case QuestionKind.MANY_OF:
            return f"Give a list of ids of options: {offered}."
        case QuestionKind.SCALE:
            scale = question.scale
            return f"Give a whole number from {scale.lowest if scale else 0} to {scale.highest if scale else 0}."


def _kept(question: Question, answer: Any) -> Answer:
    match question.kind:
        case QuestionKind.TEXT:
            return answer if answer and answer.strip() else None
        case QuestionKind.MANY_OF:
            return [option for option in question.option_ids if option in (answer or ())] or None
        case _:
            return answer  # type: ignore[no-any-return]  # a word or a number, as _fits has seen
