"""How far people came through the further questions of a survey, told from what they answered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.scores.metric import Metric
from app.domain.survey.questions import Answer, Question, questions_to_ask


@dataclass(frozen=True, slots=True)
class QuestionSteps:
    """`reached` = answered + passed over + left. Whom its conditions do not fit, it never reached."""

    question_id: str
    answered: int
    passed_over: int  # not answered, but a later question was
    left: int  # the first after the last one answered: they went, or skipped it and all that followed

    @property
    def reached(self) -> int:
        return self.answered + self.passed_over + self.left


def added(some: Sequence[QuestionSteps], others: Sequence[QuestionSteps]) -> list[QuestionSteps]:
    """Of the same survey; where nobody answered there are none."""
    if not some or not others:
        return [*some, *others]
    return [
        QuestionSteps(
            one.question_id, one.answered + other.answered, one.passed_over + other.passed_over, one.left + other.left
        )
        for one, other in zip(some, others, strict=True)
    ]


class QuestionCounts:
    """Adds people up; `versions` are the questions of each survey version, in order."""

    def __init__(self, versions: Mapping[int, Sequence[Question]], metric: Metric) -> None:
        self._versions, self._metric = versions, metric
        self._answered: Counter[str] = Counter()
        self._passed_over: Counter[str] = Counter()
        self._left: Counter[str] = Counter()

    def add(self, version: int, score: int, answers: Mapping[str, Answer], people: int) -> None:
        """So many people with the same score and answers."""
        asked = questions_to_ask(self._versions[version], metric=self._metric, score=score, answers=answers)
        given = [answers.get(question.id) is not None for question in asked]
        end = len(given) - given[::-1].index(True) if True in given else 0
        for question, is_answered in zip(asked[:end], given, strict=False):
            (self._answered if is_answered else self._passed_over)[question.id] += people
        if end < len(asked):
            self._left[asked[end].id] += people

    def steps(self) -> list[QuestionSteps]:
        """In the order of the newest version; what only older ones asked comes last."""
        newest_first = (self._versions[version] for version in sorted(self._versions, reverse=True))
        in_order = dict.fromkeys(question.id for questions in newest_first for question in questions)
        return [
            QuestionSteps(name, self._answered[name], self._passed_over[name], self._left[name]) for name in in_order
        ]
