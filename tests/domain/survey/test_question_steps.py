"""Who came to a question, who answered it, and who went."""

from typing import Any

from app.domain.scores.metric import NPS
from app.domain.survey.question_steps import QuestionCounts, QuestionSteps, added
from app.domain.survey.questions import Question

WHY = {"id": "why", "kind": "text", "text": {"en": "Why?"}}
TOPIC = {"id": "topic", "kind": "one_of", "options": [{"id": "price"}, {"id": "speed"}]}
PRICE = {
    "id": "price", "kind": "scale", "scale": {"lowest": 1, "highest": 5},
    "show_if": {"all": [{"of": "topic", "any_of": ["price"]}]},
}  # fmt: skip
MORE = {"id": "more", "kind": "text"}


def questions(*said: dict[str, Any]) -> list[Question]:
    return [Question.from_json(one) for one in said]


def counted(*answers: dict[str, Any], asked: tuple[dict[str, Any], ...] = (WHY, TOPIC, PRICE, MORE)) -> dict[str, Any]:
    counts = QuestionCounts({1: questions(*asked)}, NPS)
    for one in answers:
        counts.add(1, 9, one, 1)
    steps = counts.steps()
    assert all(one.reached == one.answered + one.passed_over + one.left for one in steps)
    return {one.question_id: (one.reached, one.answered, one.passed_over, one.left) for one in steps}


def test_who_answers_nothing_leaves_at_the_first_question() -> None:
    assert counted({}) == {"why": (1, 0, 0, 1), "topic": (0, 0, 0, 0), "price": (0, 0, 0, 0), "more": (0, 0, 0, 0)}


def test_who_answers_everything_leaves_nowhere() -> None:
    everything = counted({"why": "", "topic": "price", "price": 3, "more": ""})
    assert set(everything.values()) == {(1, 1, 0, 0)}


def test_a_question_with_a_later_answer_was_passed_over() -> None:
    assert counted({"topic": "price"})["why"] == (1, 0, 1, 0)


def test_nobody_reaches_a_question_that_is_not_for_them() -> None:
    found = counted({"why": "", "topic": "speed"}, {"why": "", "topic": "price"})
    assert found["price"] == (1, 0, 0, 1)
    assert found["more"] == (1, 0, 0, 1)


def test_people_with_the_same_answers_are_counted_at_once() -> None:
    counts = QuestionCounts({1: questions(WHY)}, NPS)
    counts.add(1, 3, {"why": ""}, 7)
    assert counts.steps() == [QuestionSteps("why", 7, 0, 0)]


def test_questions_come_in_the_order_of_the_newest_version_and_dropped_ones_last() -> None:
    counts = QuestionCounts({1: questions(WHY, TOPIC), 2: questions(MORE, WHY)}, NPS)
    counts.add(1, 9, {"topic": "price"}, 1)
    counts.add(2, 9, {"more": ""}, 2)
    assert counts.steps() == [
        QuestionSteps("more", 2, 0, 0),
        QuestionSteps("why", 0, 1, 2),
        QuestionSteps("topic", 1, 0, 0),
    ]


def test_groups_add_up() -> None:
    some, others = [QuestionSteps("why", 1, 2, 3)], [QuestionSteps("why", 10, 20, 30)]
    assert added(some, others) == [QuestionSteps("why", 11, 22, 33)]
    assert added([], some) == added(some, []) == some
