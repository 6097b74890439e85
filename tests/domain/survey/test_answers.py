from typing import Any

import pytest

from app.domain.survey.answers import LONGEST_ANSWER, AnswersInvalid, check_answers, merged_answers
from app.domain.survey.questions import Condition, Option, Question, QuestionKind, Scale, ShowIf

OPTIONS = (Option("price"), Option("speed"), Option("people"))
QUESTIONS = (
    Question("why", QuestionKind.TEXT),
    Question("reason", QuestionKind.ONE_OF, options=OPTIONS, is_required=True),
    Question("liked", QuestionKind.MANY_OF, options=OPTIONS),
    Question(
        "ease",
        QuestionKind.SCALE,
        scale=Scale(1, 5),
        is_required=True,
        show_if=ShowIf(all=(Condition("score", at_most=6),)),
    ),
)


def test_answers_are_kept_as_they_fit() -> None:
    said = {"why": "It just works", "reason": "price", "liked": ["people", "price", "people"], "ease": 5}
    assert check_answers(QUESTIONS, said) == {**said, "liked": ["price", "people"]}


def test_what_says_nothing_is_passed_over() -> None:
    assert check_answers(QUESTIONS, {"why": " ", "liked": [], "ease": None}) == {
        "why": None,
        "liked": None,
        "ease": None,
    }


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("why", 5), ("why", "x" * (LONGEST_ANSWER + 1)), ("why", "nul\0"), ("why", ["price"]),
        ("reason", "beauty"), ("reason", ["price"]), ("reason", 1), ("reason", True),
        ("liked", "price"), ("liked", ["price", "beauty"]), ("liked", [1]), ("liked", [["price"]]), ("liked", {}),
        ("ease", 0), ("ease", 6), ("ease", 3.0), ("ease", "3"), ("ease", True),
        ("nothing", "?"), ("a/b", None),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(question: str, answer: Any) -> None:
    with pytest.raises(AnswersInvalid) as refused:
        check_answers(QUESTIONS, {question: answer})
    errors: Any = refused.value.members["errors"]
    assert [error["pointer"] for error in errors] == ["/answers/" + question.replace("/", "~1")]


def test_all_that_does_not_fit_is_named_together() -> None:
    with pytest.raises(AnswersInvalid) as refused:
        check_answers(QUESTIONS, {"ease": 9, "why": "fine", "reason": "?"}, at="")
    errors: Any = refused.value.members["errors"]
    assert [error["pointer"] for error in errors] == ["/ease", "/reason"]
    assert "(1 more)" in refused.value.detail


def test_a_later_part_adds_changes_and_takes_away() -> None:
    before = {"why": "It works", "reason": "price", "ease": 2}
    assert merged_answers(before, {"reason": None, "ease": 3, "liked": ["speed"]}) == {
        "why": "It works", "ease": 3, "liked": ["speed"],
    }  # fmt: skip
