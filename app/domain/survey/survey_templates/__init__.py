"""Surveys to start from, in several languages. They are copied into a campaign and are its own from then on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.domain.campaign import CampaignKind
from app.domain.errors import NotFound, RuleViolation
from app.domain.scores.metric import METRICS, Band, MetricKey
from app.domain.survey.questions import Condition, Option, Question, QuestionKind, ShowIf
from app.domain.survey.survey import Survey, ThankYou
from app.domain.survey.survey_templates.ar import ARABIC
from app.domain.survey.survey_templates.de import GERMAN
from app.domain.survey.survey_templates.en import ENGLISH
from app.domain.survey.survey_templates.es import SPANISH
from app.domain.survey.survey_templates.fr import FRENCH
from app.domain.survey.survey_templates.it import ITALIAN
from app.domain.survey.survey_templates.ja import JAPANESE
from app.domain.survey.survey_templates.nl import DUTCH
from app.domain.survey.survey_templates.pt_br import BRAZILIAN
from app.domain.survey.survey_templates.texts import Bands, LanguageTexts

WRITTEN: Mapping[str, LanguageTexts] = MappingProxyType(
    {
        "en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "pt-BR": BRAZILIAN, "it": ITALIAN, "nl": DUTCH,
        "ar": ARABIC, "ja": JAPANESE,
    }
)  # fmt: skip
LANGUAGES = tuple(WRITTEN)


class TemplateNotFound(NotFound):
    """There is no such survey template."""

    code = "survey_template_not_found"


class TemplateLanguageMissing(RuleViolation):
    """The template is not written in this language."""

    code = "template_language_missing"


@dataclass(frozen=True, slots=True)
class SurveyTemplate:
    """`choices`: ids of the further questions it asks, with those of the bands that are asked; none: everybody."""

    key: str
    name: str
    description: str
    kind: CampaignKind
    metric: MetricKey
    choices: Mapping[str, tuple[Band, ...]]

    def survey(self, languages: Sequence[str] = LANGUAGES) -> Survey:
        """The first language is the default. Raises TemplateLanguageMissing."""
        for place, language in enumerate(languages):
            if language not in WRITTEN:
                detail = f"Templates are written in {', '.join(LANGUAGES)}; add others to the survey yourself."
                raise TemplateLanguageMissing(detail, pointer=f"/template/languages/{place}", languages=list(LANGUAGES))
        written = {language: WRITTEN[language] for language in languages}
        bands = [band for band, scores in METRICS[self.metric].scores_by_band().items() if scores]
        labels = {language: said.labels.get(self.metric) for language, said in written.items()}
        return Survey(
            languages[0],
            tuple(languages),
            question={language: said.wordings[self.key].question for language, said in written.items()},
            follow_up={band: self._follow_ups(written, band) for band in bands},
            thank_you={band: self._thanks(written, band) for band in bands},
            lowest_label={language: ends[0] for language, ends in labels.items() if ends},
            highest_label={language: ends[1] for language, ends in labels.items() if ends},
            questions=tuple(_choice(written, choice, asked) for choice, asked in self.choices.items()),
        )

    def _follow_ups(self, written: Mapping[str, LanguageTexts], band: Band) -> dict[str, str]:
        return {language: _of_band(said.wordings[self.key].follow_up, band) for language, said in written.items()}

    def _thanks(self, written: Mapping[str, LanguageTexts], band: Band) -> dict[str, ThankYou]:
        thanks = {language: said.wordings[self.key].thank_you or said.thank_you for language, said in written.items()}
        return {language: ThankYou(_of_band(bands, band)) for language, bands in thanks.items()}


def find_template(key: str) -> SurveyTemplate:
    """Raises TemplateNotFound."""
    if key not in TEMPLATES:
        detail = f"The survey templates are {', '.join(TEMPLATES)}."
        raise TemplateNotFound(detail, pointer="/template/key")
    return TEMPLATES[key]


def _of_band(bands: Bands, band: Band) -> str:
    return {Band.PROMOTER: bands.promoter, Band.PASSIVE: bands.passive, Band.DETRACTOR: bands.detractor}[band]


def _choice(written: Mapping[str, LanguageTexts], choice: str, asked: tuple[Band, ...]) -> Question:
    option_ids = next(iter(written.values())).choices[choice].options
    return Question(
        choice,
        QuestionKind.ONE_OF,
        {language: said.choices[choice].text for language, said in written.items()},
        tuple(
            Option(option, {language: said.choices[choice].options[option] for language, said in written.items()})
            for option in option_ids
        ),
        show_if=ShowIf(all=(Condition("band", any_of=asked),)) if asked else None,
    )


_UNHAPPY = (Band.PASSIVE, Band.DETRACTOR)
_RELATIONSHIP, _TRANSACTIONAL = CampaignKind.RELATIONSHIP, CampaignKind.TRANSACTIONAL
TEMPLATES: Mapping[str, SurveyTemplate] = MappingProxyType(
    {
        template.key: template
        for template in (
            SurveyTemplate(
                "nps_relationship", "NPS, the whole relationship",
                "Would your customers recommend you? Asked regularly, whatever they last did.",
                _RELATIONSHIP, MetricKey.NPS, {},
            ),
            SurveyTemplate(
                "after_purchase", "After a purchase",
                "NPS some days after an order has arrived; whoever is not a promoter is asked what it was about.",
                _TRANSACTIONAL, MetricKey.NPS, {"areas": _UNHAPPY},
            ),
            SurveyTemplate(
                "after_support", "After a support case",
                "Satisfaction with the help itself, soon after a case was closed, and whether it was solved.",
                _TRANSACTIONAL, MetricKey.CSAT, {"solved": ()},
            ),
            SurveyTemplate(
                "onboarding", "After the first weeks",
                "NPS of new customers, and where they got stuck.",
                _TRANSACTIONAL, MetricKey.NPS, {},
            ),
            SurveyTemplate(
                "csat", "Customer satisfaction (CSAT)", "How satisfied are they, all in all?",
                _RELATIONSHIP, MetricKey.CSAT, {},
            ),
            SurveyTemplate(
                "ces", "Customer effort (CES)", "Was it easy to get done what they came for? On a scale of seven.",
                _TRANSACTIONAL, MetricKey.CES, {},
            ),
            SurveyTemplate(
                "five_stars", "Five stars", "A rating that everybody knows how to give.",
                _TRANSACTIONAL, MetricKey.STARS, {},
            ),
            SurveyTemplate(
                "thumbs", "Thumbs up or down", "The shortest question there is, for a page or an answer.",
                _TRANSACTIONAL, MetricKey.THUMBS, {},
            ),
            SurveyTemplate(
                "employee_nps", "Employee NPS",
                "Would your people recommend you as a place to work? Best asked anonymously.",
                _RELATIONSHIP, MetricKey.NPS, {},
            ),
            SurveyTemplate(
                "wow", "What would wow you?",
                "NPS that asks for more than repairs: what would delight, and what would win somebody back.",
                _RELATIONSHIP, MetricKey.NPS, {},
            ),
        )
    }
)  # fmt: skip
