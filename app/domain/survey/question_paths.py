"""Whether anybody can get to a question: a score and answers under which its conditions hold, and those before it."""

from collections.abc import Iterable, Mapping, Sequence

from app.domain.scores.metric import Metric
from app.domain.survey.questions import OF_BAND, OF_SCORE, Condition, Question, QuestionKind

MOST_WAYS = 5_000  # tried before we take it that there is one

# What may still be answered, by question and for the score.
_Possible = Mapping[str, frozenset[str | int]]


def can_be_reached(questions: Sequence[Question], at: int, *, metric: Metric) -> bool:
    """`questions` up to `at` are well formed."""
    return _Search({question.id: question for question in questions[:at]}, metric).succeeds([questions[at]], {}, set())


class _Search:
    def __init__(self, earlier: Mapping[str, Question], metric: Metric) -> None:
        self._earlier, self._metric = earlier, metric
        self._ways = 0

    def succeeds(self, wanted: Sequence[Question], possible: _Possible, met: set[str]) -> bool:
        """Each question in `wanted` is to be met, as those in `met` are while what is `possible` stays so."""
        self._ways += 1
        wanted = [question for question in wanted if question.id not in met]
        if not wanted or self._ways > MOST_WAYS:
            return True
        question, rest = wanted[0], wanted[1:]
        return any(self._leads_on(way, rest, possible, met | {question.id}) for way in _ways(question))

    def _leads_on(self, way: Sequence[Condition], rest: Sequence[Question], possible: _Possible, met: set[str]) -> bool:
        narrowed = self._narrowed(possible, way)
        asked = [self._earlier[condition.of] for condition in way if condition.of in self._earlier]
        return narrowed is not None and self.succeeds([*rest, *asked], narrowed, met)

    def _narrowed(self, possible: _Possible, way: Iterable[Condition]) -> _Possible | None:
        """None where no answer is left."""
        narrowed = dict(possible)
        for condition in way:
            question = self._earlier.get(condition.of)
            if question is not None and question.kind is QuestionKind.MANY_OF:
                continue  # several options at once: no condition keeps another from holding
            key = OF_SCORE if question is None else question.id
            narrowed[key] = narrowed.get(key, self._answers_to(key)) & self._meeting(condition)
            if not narrowed[key]:
                return None
        return narrowed

    def _answers_to(self, key: str) -> frozenset[str | int]:
        question = self._earlier.get(key)
        if question is None:
            return frozenset(self._metric.scores)
        return frozenset(question.scale.values if question.scale else question.option_ids)

    def _meeting(self, condition: Condition) -> frozenset[str | int]:
        if condition.of == OF_BAND:
            return frozenset(
                score for score in self._metric.scores if condition.holds(self._metric.band_for(score).value)
            )
        return frozenset(answer for answer in self._answers_to(condition.of) if condition.holds(answer))


def _ways(question: Question) -> list[tuple[Condition, ...]]:
    if question.show_if is None:
        return [()]
    return [question.show_if.all] if question.show_if.all else [(condition,) for condition in question.show_if.any]
