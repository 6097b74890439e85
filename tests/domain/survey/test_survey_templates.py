"""What is written in each language, as far as that can be checked without speaking it."""

import re

import pytest

from app.domain.scores.metric import METRICS
from app.domain.survey.language import direction
from app.domain.survey.merge_fields import FIELD, fields_in
from app.domain.survey.survey import check_questions, check_survey, completeness, fields_used
from app.domain.survey.survey_templates import LANGUAGES, TEMPLATES, WRITTEN, SurveyTemplate
from app.domain.survey.survey_templates.texts import LanguageTexts

EVERY = [pytest.param(template, id=key) for key, template in TEMPLATES.items()]
SCRIPTS = {"ar": r"[\u0600-\u06ff]", "ja": r"[\u3040-\u30ff\u4e00-\u9fff]"}


def texts_of(said: LanguageTexts) -> list[str]:
    bands = [said.thank_you, *(wording.follow_up for wording in said.wordings.values())]
    bands += [wording.thank_you for wording in said.wordings.values() if wording.thank_you]
    return [
        *(text for ends in said.labels.values() for text in ends),
        *(text for one in bands for text in (one.promoter, one.passive, one.detractor)),
        *(choice.text for choice in said.choices.values()),
        *(text for choice in said.choices.values() for text in choice.options.values()),
        *(wording.question for wording in said.wordings.values()),
    ]


@pytest.mark.parametrize("template", EVERY)
def test_a_template_is_sound_and_complete_in_every_language(template: SurveyTemplate) -> None:
    survey = template.survey()
    check_survey(survey, metric=METRICS[template.metric])
    check_questions(survey)
    assert {language for language, found in completeness(survey).items() if found.is_complete} == set(LANGUAGES)
    assert fields_used(survey) <= {"brand"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_written_in_every_language(language: str) -> None:
    said = WRITTEN[language]
    assert set(said.wordings) == set(TEMPLATES)
    assert set(said.labels) == {"nps", "csat", "ces", "stars"}
    assert {choice: list(found.options) for choice, found in said.choices.items()} == {
        choice: list(found.options) for choice, found in WRITTEN["en"].choices.items()
    }


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_nothing_was_left_in_english(language: str) -> None:
    english = set(texts_of(WRITTEN["en"]))
    same = [text for text in texts_of(WRITTEN[language]) if text in english]
    assert set(same) <= {"No", "Excellent"}


@pytest.mark.parametrize("language", SCRIPTS)
def test_every_text_is_in_its_own_script(language: str) -> None:
    assert [text for text in texts_of(WRITTEN[language]) if not re.search(SCRIPTS[language], FIELD.sub("", text))] == []


def test_arabic_is_written_from_the_right() -> None:
    assert [language for language in LANGUAGES if direction(language) == "rtl"] == ["ar"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_tidy(language: str) -> None:
    for text in texts_of(WRITTEN[language]):
        assert text == text.strip()
        assert "  " not in text
        assert "'" not in text, "an apostrophe is ’"
        assert (text.count("¿"), text.count("¡")) == (
            (text.count("?"), text.count("!")) if language == "es" else (0, 0)
        )


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_question_names_the_brand_in_all_languages_or_in_none(key: str) -> None:
    named = {language for language in LANGUAGES if fields_in([WRITTEN[language].wordings[key].question])}
    assert named in (set(), set(LANGUAGES)) or key == "after_purchase"
