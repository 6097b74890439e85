"""What was answered to a further question: how often each option or value, and by whom in terms of the score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.domain.errors import NotFound
from app.domain.scores.metric import Band, Metric
from app.domain.scores.minimum_group import Withheld, is_too_small, too_telling
from app.domain.survey.questions import Answer, Question, QuestionKind, answers_asked_for


class QuestionNotFound(NotFound):
    """There is no such question."""

    code = "question_not_found"


@dataclass(slots=True)
class Tally:
    """How often, in all and in each band; `share` is of those who answered the question."""

    value: str | int
    count: int = 0
    share: float = 0.0
    bands: dict[Band, int] = field(default_factory=lambda: dict.fromkeys(Band, 0))


@dataclass(frozen=True, slots=True)
class QuestionResults:
    """`tallies` are empty for free texts. `mean` is of scales, to two decimals; None without answers."""

    question: Question
    response_count: int
    n: int
    bands: dict[Band, int]
    tallies: list[Tally]
    mean: float | None
    withheld: Withheld | None = None  # then nothing but the question is told
    without_bands: frozenset[str | int] = frozenset()  # of these values is told how often, and not by whom
    tells_bands: bool = True


def results_of(
    question: Question,
    rows: Iterable[tuple[int, int, Mapping[str, Answer], int]],
    *,
    versions: Mapping[int, Sequence[Question]],
    metric: Metric,
) -> QuestionResults:
    """`rows`: (survey version, score, answers, how many people); of the answers only those to questions that were asked
    are counted.
    """
    response_count, answered = 0, Tally("")
    tallies = {value: Tally(value) for value in _values(question)}
    for version, score, answers, people in rows:
        response_count += people
        asked_for = answers_asked_for(versions.get(version, ()), metric=metric, score=score, answers=answers)
        if question.id in asked_for:
            chosen = [tallies.setdefault(value, Tally(value)) for value in _chosen(question, asked_for[question.id])]
            for tally in (answered, *chosen):
                tally.count += people
                tally.bands[metric.band_for(score)] += people
    for tally in tallies.values():
        tally.share = round(tally.count / answered.count, 4) if answered.count else 0.0
    counted = list(tallies.values())
    return QuestionResults(
        question, response_count, answered.count, answered.bands, counted, _mean(question, counted, n=answered.count)
    )


def withhold_small_groups(results: QuestionResults, *, is_part: bool) -> QuestionResults:
    """As an anonymous campaign tells them; `is_part`: not all of its responses were counted.

    Whoever passed the question over is a group as well: the score of all less the bands of the others would be theirs.
    """
    n, passed_over = results.n, results.response_count - results.n
    if is_too_small(n) and (is_part or passed_over):
        return replace(results, withheld=Withheld.MINIMUM_GROUP)
    counts = {tally.value: tally.count for tally in results.tallies}
    chosen_by_most = {value for value, count in counts.items() if is_too_small(n - count)}
    return replace(
        results,
        without_bands=frozenset(too_telling(counts) | chosen_by_most),
        tells_bands=not is_too_small(passed_over),
    )


def _values(question: Question) -> Sequence[str | int]:
    return question.scale.values if question.scale else question.option_ids


def _chosen(question: Question, answer: Answer) -> Sequence[str | int]:
    if answer is None or question.kind is QuestionKind.TEXT:
        return ()
    return [answer] if isinstance(answer, str | int) else answer


def _mean(question: Question, tallies: Sequence[Tally], *, n: int) -> float | None:
    if question.kind is not QuestionKind.SCALE or not n:
        return None
    return round(sum(tally.value * tally.count for tally in tallies if isinstance(tally.value, int)) / n, 2)
