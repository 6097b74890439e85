from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.scores.metric import METRICS, NPS
from app.domain.survey.questions import (
    Condition,
    Option,
    Question,
    QuestionKind,
    Scale,
    ShowIf,
    answers_asked_for,
    questions_to_ask,
)
from app.domain.survey.survey import Survey, SurveyInvalid, check_survey

PRICE, SPEED = Option("price", {"en": "Price"}), Option("speed", {"en": "Speed"})


def a_question(question_id: str, kind: str = "text", show_if: ShowIf | None = None, **fields: Any) -> Question:
    if kind in {"one_of", "many_of"}:
        fields.setdefault("options", (PRICE, SPEED))
    if kind == "scale":
        fields.setdefault("scale", Scale(1, 5))
    return Question(question_id, QuestionKind(kind), {"en": "?"}, show_if=show_if, **fields)


def when(*conditions: Condition) -> ShowIf:
    return ShowIf(all=conditions)


def either(*conditions: Condition) -> ShowIf:
    return ShowIf(any=conditions)


def band(*bands: str) -> Condition:
    return Condition("band", any_of=bands)


def faults_of(*questions: Question, metric: str = "nps") -> list[str]:
    survey = Survey("en", ("en",), {"en": "?"}, questions=questions)
    try:
        check_survey(survey, metric=METRICS[metric], at="")
    except SurveyInvalid as refused:
        errors: Any = refused.members["errors"]
        return [error["pointer"] for error in errors]
    return []


REASON = a_question("reason", "one_of", when(band("detractor", "passive")))
WHICH_PRICE = a_question("which_price", "text", when(Condition("reason", any_of=("price",))))
EASE = a_question("ease", "scale")
HARD = a_question("hard", "many_of", either(Condition("ease", at_most=2), Condition("score", at_most=1)))
ALL = (REASON, WHICH_PRICE, EASE, HARD)


def asked(score: int, **answers: Any) -> list[str]:
    return [question.id for question in questions_to_ask(ALL, metric=NPS, score=score, answers=answers)]


def test_questions_may_depend_on_the_band_the_score_and_earlier_answers() -> None:
    assert faults_of(*ALL) == []
    assert asked(10) == ["ease"]
    assert asked(7) == ["reason", "ease"]
    assert asked(7, reason="price", ease=2) == ["reason", "which_price", "ease", "hard"]
    assert asked(1, reason="speed") == ["reason", "ease", "hard"]


def test_an_answer_on_a_way_since_left_decides_nothing() -> None:
    assert asked(10, reason="price", which_price="Yours") == ["ease"]
    said = {"reason": "price", "which_price": "Yours", "ease": 4, "hard": None}
    assert answers_asked_for(ALL, metric=NPS, score=10, answers=said) == {"ease": 4}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition("hard", any_of=("price",)), True),
        (Condition("hard", any_of=("speed", "price")), True),
        (Condition("hard", any_of=("speed",)), False),
    ],
)
def test_of_many_options_one_is_enough(condition: Condition, holds: bool) -> None:
    questions = (a_question("hard", "many_of"), a_question("more", show_if=when(condition)))
    found = questions_to_ask(questions, metric=NPS, score=5, answers={"hard": ["price"]})
    assert (len(found) == 2) is holds


@pytest.mark.parametrize("question_id", ["", "Reason", "1st", "a-b", "a" * 41, "score", "band", "comment"])
def test_ids_are_plain_and_free(question_id: str) -> None:
    assert faults_of(a_question(question_id)) == ["/questions/0/id"]


def test_ids_are_unique() -> None:
    assert faults_of(EASE, EASE) == ["/questions/1/id"]
    twice = a_question("which", "one_of", options=(PRICE, SPEED, PRICE))
    assert faults_of(twice) == ["/questions/0/options/2/id"]


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        (a_question("q", "one_of", options=()), "/options"),
        (a_question("q", "many_of", options=(PRICE,)), "/options"),
        (a_question("q", "text", options=(PRICE, SPEED)), "/options"),
        (a_question("q", "one_of", options=(PRICE, Option("Über", {"en": "?"}))), "/options/1/id"),
        (a_question("q", "one_of", options=(PRICE, Option("o", {"en": "x" * 201}))), "/options/1/text/en"),
        (a_question("q", "one_of", options=(PRICE, Option("o", {"fr": "?"}))), "/options/1/text/fr"),
        (a_question("q", "scale", scale=None), "/scale"),
        (a_question("q", "text", scale=Scale(1, 5)), "/scale"),
        (a_question("q", "scale", scale=Scale(5, 5)), "/scale"),
        (a_question("q", "scale", scale=Scale(0, 11)), "/scale"),
        (a_question("q", "scale", scale=Scale(1, 5, {"en": " "})), "/scale/lowest_label/en"),
    ],
)
def test_each_kind_has_what_it_needs(question: Question, pointer: str) -> None:
    assert faults_of(question) == [f"/questions/0{pointer}"]


@pytest.mark.parametrize(
    ("show_if", "pointer"),
    [
        (ShowIf(), ""),
        (ShowIf(all=(band("passive"),), any=(band("passive"),)), ""),
        (when(Condition("nothing", any_of=("price",))), "/all/0/of"),
        (when(Condition("late", any_of=("price",))), "/all/0/of"),
        (when(Condition("later", any_of=("price",))), "/all/0/of"),
        (when(Condition("said", any_of=("price",))), "/all/0/of"),
        (when(band("passive"), Condition("reason", any_of=("beauty",))), "/all/1/any_of/0"),
        (when(Condition("reason", at_least=1)), "/all/0"),
        (when(Condition("reason")), "/all/0"),
        (when(Condition("ease", any_of=("price",))), "/all/0"),
        (when(Condition("ease")), "/all/0"),
        (when(Condition("ease", at_least=6)), "/all/0"),
        (when(Condition("ease", at_least=4, at_most=3)), "/all/0"),
        (when(band("happy")), "/all/0/any_of/0"),
        (either(Condition("score", at_least=11)), "/any/0"),
    ],
)
def test_conditions_refer_to_what_is_there_already(show_if: ShowIf, pointer: str) -> None:
    reason = a_question("reason", "one_of")
    found = faults_of(
        reason, EASE, a_question("said"), a_question("late", show_if=show_if), a_question("later", "one_of")
    )
    assert found == [f"/questions/3/show_if{pointer}"]


def test_a_band_without_scores_is_none() -> None:
    assert faults_of(a_question("q", show_if=when(band("passive"))), metric="thumbs") == [
        "/questions/0/show_if/all/0/any_of/0"
    ]


@pytest.mark.parametrize(
    "show_if",
    [
        when(band("promoter"), Condition("score", at_most=8)),
        when(band("promoter"), band("detractor")),
        when(Condition("ease", at_least=4), Condition("ease", at_most=3)),
        when(Condition("reason", any_of=("price",)), Condition("reason", any_of=("speed",))),
        when(band("promoter"), Condition("reason", any_of=("price",))),
        when(Condition("reason", any_of=("speed",)), Condition("cheap", any_of=("price",))),
        either(Condition("dead", any_of=("price",))),
    ],
)
def test_a_question_nobody_can_get_to_is_refused(show_if: ShowIf) -> None:
    cheap = a_question("cheap", "one_of", when(Condition("reason", any_of=("price",))))
    earlier = [REASON, EASE, cheap]
    if "dead" in {condition.of for condition in show_if.conditions}:
        earlier.append(a_question("dead", "one_of", when(band("promoter"), Condition("cheap", any_of=("speed",)))))
        assert faults_of(*earlier, a_question("q", show_if=show_if)) == ["/questions/3/show_if", "/questions/4/show_if"]
    else:
        assert faults_of(*earlier, a_question("q", show_if=show_if)) == ["/questions/3/show_if"]


def test_of_many_options_several_may_be_needed() -> None:
    both = when(Condition("hard", any_of=("price",)), Condition("hard", any_of=("speed",)))
    assert faults_of(a_question("hard", "many_of"), a_question("q", show_if=both)) == []


def test_the_longest_survey_is_checked_in_time() -> None:
    """Every question asks for all before it, in any of many ways: more ways than could ever be tried."""
    questions = [a_question("q0", "one_of")]
    for number in range(1, 30):
        before = [Condition(question.id, any_of=("price",)) for question in questions[-20:]]
        questions.append(a_question(f"q{number}", "one_of", either(*before) if number % 2 else when(*before)))
    assert faults_of(*questions) == []
    assert faults_of(*questions, a_question("one_more")) == ["/questions"]


_CONDITIONS = some.one_of(
    some.sets(some.sampled_from(["promoter", "passive", "detractor"]), min_size=1).map(lambda chosen: band(*chosen)),
    some.integers(0, 10).map(lambda least: Condition("score", at_least=least)),
    some.sampled_from(["price", "speed"]).map(lambda option: Condition("reason", any_of=(option,))),
    some.integers(1, 5).map(lambda most: Condition("ease", at_most=most)),
)


@given(
    some.lists(_CONDITIONS, min_size=1, max_size=4), some.booleans(), some.lists(_CONDITIONS, min_size=1, max_size=3)
)
def test_what_is_called_reachable_can_be_reached_and_nothing_else(
    conditions: list[Condition], all_of_them: bool, earlier: list[Condition]
) -> None:
    reason = a_question(
        "reason", "one_of", when(*[one for one in earlier if one.of in {"score", "band"}] or [band("passive")])
    )
    last = a_question("last", show_if=when(*conditions) if all_of_them else either(*conditions))
    questions = (reason, EASE, last)
    ways = [
        (score, {"reason": option, "ease": ease})
        for score in NPS.scores
        for option in ("price", "speed")
        for ease in range(1, 6)
    ]
    met = {
        question.id
        for score, answers in ways
        for question in questions_to_ask(questions, metric=NPS, score=score, answers=answers)
    }
    refused = faults_of(*questions)
    assert ("last" in met) is ("/questions/2/show_if" not in refused)
    assert ("reason" in met) is ("/questions/0/show_if" not in refused)
