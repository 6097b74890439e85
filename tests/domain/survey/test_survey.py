import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.scores.metric import METRICS, NPS
from app.domain.survey.questions import Condition, Option, Question, QuestionKind, Scale, ShowIf
from app.domain.survey.survey import (
    Survey,
    SurveyIncomplete,
    SurveyInvalid,
    ThankYou,
    check_questions,
    check_survey,
    completeness,
    fields_used,
    pick_language,
)
from app.domain.survey.survey_texts import LONGEST_TEXT

COMPLETE = Survey(
    default_language="en",
    languages=("en", "de"),
    question={"en": "How likely are you to recommend us?", "de": "Würden Sie uns weiterempfehlen?"},
    follow_up={"detractor": {"en": "What went wrong?", "de": "Was ging schief?"}},
    thank_you={
        "promoter": {"en": ThankYou("Tell others!", "https://reviews.example/us?a=1"), "de": ThankYou("Danke!")}
    },
)
REASON = Question(
    "reason",
    QuestionKind.ONE_OF,
    {"en": "What was it?", "de": "Woran lag es?"},
    (Option("price", {"en": "The price", "de": "Am Preis"}), Option("speed", {"en": "Speed", "de": "Am Tempo"})),
    show_if=ShowIf(any=(Condition("band", any_of=("detractor",)),)),
)
EASE = Question(
    "ease",
    QuestionKind.SCALE,
    {"en": "How easy was it?", "de": "Wie leicht war es?"},
    scale=Scale(1, 5, {"en": "Hard"}, {"en": "Easy"}),
)
WITH_QUESTIONS = replace(COMPLETE, questions=(REASON, EASE))


def faults_of(survey: Survey, metric: str = "nps") -> list[str]:
    with pytest.raises(SurveyInvalid) as refused:
        check_survey(survey, metric=METRICS[metric])
    errors: Any = refused.value.members["errors"]
    return [error["pointer"] for error in errors]


def test_a_sound_survey_passes() -> None:
    check_survey(COMPLETE, metric=NPS)
    check_questions(COMPLETE)


def test_a_survey_survives_being_stored() -> None:
    stored = json.loads(json.dumps(COMPLETE.to_json()))
    assert Survey.from_json(stored) == COMPLETE
    stored = json.loads(json.dumps(WITH_QUESTIONS.to_json()))
    assert Survey.from_json(stored) == WITH_QUESTIONS
    assert WITH_QUESTIONS.to_json() == stored
    assert Survey.from_json({"default_language": "en", "languages": ["en"]}) == Survey("en", ("en",))


@pytest.mark.parametrize("language", ["en", "pt-BR", "zh-Hant", "zh-Hant-HK", "es-419", "gsw"])
def test_language_tags_may_name_script_and_region(language: str) -> None:
    check_survey(Survey(language, (language,), {language: "Well?"}), metric=NPS)


@pytest.mark.parametrize("language", ["", "EN", "english", "en_US", "en-us", "e", "en-", "en\n", "pt-BR-x"])
def test_other_names_of_languages_are_refused(language: str) -> None:
    assert faults_of(Survey(language, (language,))) == ["/survey/languages/0"]


def test_the_default_is_one_of_the_languages_and_none_is_listed_twice() -> None:
    assert faults_of(replace(COMPLETE, default_language="fr")) == ["/survey/default_language"]
    assert faults_of(replace(COMPLETE, languages=("en", "de", "en"))) == ["/survey/languages/2"]
    assert faults_of(Survey("en", ())) == ["/survey/default_language"]
    many = tuple(f"a{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(51))
    assert faults_of(Survey(many[0], many)) == ["/survey/languages"]


@pytest.mark.parametrize(
    "text", ["", "  \n", "Hello {name}", "}", "nul\0", "bell\a", "x" * (LONGEST_TEXT + 1)], ids=repr
)
def test_texts_are_plain_visible_and_of_bounded_length(text: str) -> None:
    assert faults_of(replace(COMPLETE, question={"en": text})) == ["/survey/question/en"]
    assert faults_of(replace(COMPLETE, follow_up={"passive": {"de": text}})) == ["/survey/follow_up/passive/de"]
    thank_you = {"passive": {"de": ThankYou(text)}}
    assert faults_of(replace(COMPLETE, thank_you=thank_you)) == ["/survey/thank_you/passive/de"]


def test_texts_may_have_lines_and_any_script() -> None:
    check_survey(replace(COMPLETE, question={"en": "One\nTwo\tthree", "de": "ما مدى احتمال 🙂"}), metric=NPS)


def test_texts_belong_to_listed_languages_and_bands_of_the_metric() -> None:
    assert faults_of(replace(COMPLETE, question={"fr": "Alors ?"})) == ["/survey/question/fr"]
    assert faults_of(replace(COMPLETE, follow_up={"fans": {"en": "Why?"}})) == ["/survey/follow_up/fans"]
    assert faults_of(replace(COMPLETE, follow_up={"passive": {"en": "Why?"}}), "thumbs") == [
        "/survey/follow_up/passive"
    ]


@pytest.mark.parametrize(
    "link",
    [
        "http://reviews.example",
        "javascript:alert(1)",
        "//reviews.example",
        "https://",
        "https:///path",
        "",
        "reviews",
        "https://a b.example",
        "https://user@reviews.example",
        "https://reviews.example/\n",
        "https://[::1",
        "https://x:y",
        'https://reviews.example/"onclick="',
        "https://reviews.example/<script>",
        "https://reviews.example\\@evil.example",
        "https://reviews.example/" + "a" * 2000,
    ],
)
def test_a_link_is_https_and_nothing_else(link: str) -> None:
    thank_you = {"promoter": {"en": ThankYou("Thanks!", link)}}
    assert faults_of(replace(COMPLETE, thank_you=thank_you)) == ["/survey/thank_you/promoter/en/link"]


def test_all_faults_are_reported_together_where_the_request_has_them() -> None:
    survey = replace(COMPLETE, default_language="fr", question={"en": "{", "de": ""})
    with pytest.raises(SurveyInvalid) as refused:
        check_survey(survey, metric=NPS, at="")
    errors: Any = refused.value.members["errors"]
    assert [error["pointer"] for error in errors] == ["/default_language", "/question/en", "/question/de"]
    assert "(2 more)" in refused.value.detail


def test_pointers_escape_what_json_pointers_must() -> None:
    assert faults_of(replace(COMPLETE, question={"a/b~c": "?"})) == ["/survey/question/a~1b~0c"]


def test_a_launch_needs_the_question_in_every_language() -> None:
    with pytest.raises(SurveyIncomplete) as refused:
        check_questions(replace(COMPLETE, languages=("en", "de", "fr", "it")))
    assert refused.value.members == {"languages": ["fr", "it"]}
    assert refused.value.pointer == "/survey/question/fr"


def test_a_launch_needs_further_questions_in_every_language_too() -> None:
    check_questions(WITH_QUESTIONS)
    in_french = replace(WITH_QUESTIONS, languages=("en", "de", "fr"), question={**COMPLETE.question, "fr": "Alors ?"})
    with pytest.raises(SurveyIncomplete) as refused:
        check_questions(in_french)
    assert refused.value.pointer == "/survey/questions/0/text/fr"
    option = replace(REASON.options[1], text={"en": "Speed"})
    with pytest.raises(SurveyIncomplete) as refused:
        check_questions(replace(COMPLETE, questions=(replace(REASON, options=(REASON.options[0], option)),)))
    assert refused.value.pointer == "/survey/questions/0/options/1/text/de"


def test_completeness_names_what_further_questions_lack() -> None:
    assert completeness(WITH_QUESTIONS)["de"].missing == (
        "questions.ease.lowest_label", "questions.ease.highest_label",
    )  # fmt: skip
    unnamed = replace(EASE, scale=replace(EASE.scale or Scale(1, 5), lowest_label={}, highest_label={}))
    assert all(found.is_complete for found in completeness(replace(COMPLETE, questions=(unnamed,))).values())
    untold = Option("price", {"en": "The price"})
    without = replace(REASON, text={"en": "What was it?"}, options=(untold, *REASON.options[1:]))
    assert completeness(replace(COMPLETE, questions=(without,)))["de"].missing == (
        "questions.reason", "questions.reason.options.price",
    )  # fmt: skip


def test_other_texts_are_checked_and_counted_as_well() -> None:
    survey = replace(COMPLETE, reward={"en": "Your code"}, lowest_label={"en": "Not at all", "de": "Gar nicht"})
    check_survey(survey, metric=NPS)
    assert completeness(survey)["de"].missing == ("reward",)
    assert faults_of(replace(COMPLETE, reward={"fr": "Votre code"})) == ["/survey/reward/fr"]
    assert faults_of(replace(COMPLETE, highest_label={"en": "x" * 101})) == ["/survey/highest_label/en"]
    shared = {"promoter": {"en": ThankYou("Thanks!", share_text="{")}}
    assert faults_of(replace(COMPLETE, thank_you=shared)) == ["/survey/thank_you/promoter/en/share_text"]


def test_a_survey_tells_which_merge_fields_it_reads() -> None:
    thanks = {"promoter": {"en": ThankYou("Thanks, {name|friend}!", share_text="I like {brand|them}")}}
    option = Option("plan", {"en": "My {property.plan|old} plan"})
    questions = (replace(REASON, options=(option, *REASON.options)),)
    survey = replace(COMPLETE, thank_you=thanks, questions=questions)
    check_survey(survey, metric=NPS)
    assert fields_used(survey) == {"name", "brand", "property.plan"}


def test_completeness_tells_per_language_what_the_default_has_and_it_lacks() -> None:
    found = completeness(replace(COMPLETE, languages=("en", "de", "fr"), follow_up={"detractor": {"en": "Why?"}}))
    assert list(found) == ["en", "de", "fr"]
    assert found["en"].is_complete
    assert found["de"].missing == ("follow_up.detractor",)
    assert found["fr"].missing == ("question", "follow_up.detractor", "thank_you.promoter")
    assert not found["fr"].is_complete


def test_a_missing_question_is_missing_in_the_default_language_too() -> None:
    assert completeness(Survey("en", ("en",)))["en"].missing == ("question",)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de-CH", "de"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-TW", "zh-Hans"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("fr", "en"),
        (None, "en"),
        ("", "en"),
        ("-", "en"),
        ("d", "en"),
    ],
)
def test_the_nearest_language_is_shown(wanted: str | None, found: str) -> None:
    survey = Survey("en", ("en", "de", "pt-BR", "zh-Hans", "zh-Hant"))
    assert pick_language(survey, wanted=wanted) == found
