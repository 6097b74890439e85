"""The score of a file: no database, no service, nothing to set up."""

import io
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TextIO

from rich.console import Console
from rich.table import Table

from app.cli.refusal import Refusal
from app.domain.scores.metric import METRICS, Formula, Metric
from app.domain.scores.nps_file import RejectReason, ScoreColumnMissing, ScoreFile, read_scores
from app.domain.scores.scoring import Score, percentages, rounded, score_of

STANDARD_INPUT = "-"
REJECTS_SHOWN = 5
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
METHODS = {"adjusted_wald": "adjusted Wald", "student_t": "Student’s t"}
REASONS = {
    RejectReason.EMPTY: "empty",
    RejectReason.NOT_A_NUMBER: "not a number",
    RejectReason.NOT_WHOLE: "not a whole number",
    RejectReason.OUT_OF_RANGE: "out of range",
    RejectReason.UNREADABLE: "unreadable",
}


def run(arguments: Namespace) -> int:
    metric = METRICS[arguments.metric]
    try:
        with _opened(arguments.file) as lines:
            found = read_scores(lines, metric=metric, column=arguments.column)
    except OSError as error:
        raise Refusal(f"{arguments.file}: {error.strerror}") from error
    except ScoreColumnMissing as missing:
        raise Refusal(f"{arguments.file}: {missing.detail} Choose one with --column.") from missing
    _print(found, score_of(found.histogram, metric=metric), name=arguments.file)
    return 0


@contextmanager
def _opened(name: str) -> Iterator[TextIO]:
    """Scores are plain digits in every encoding but UTF-16, so that is the only one worth telling apart."""
    is_input = name == STANDARD_INPUT
    with open(sys.stdin.fileno() if is_input else name, "rb", closefd=not is_input) as file:
        encoding = "utf-16" if file.peek(2)[:2] in UTF_16 else "utf-8"
        yield io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def _print(found: ScoreFile, score: Score, *, name: str) -> None:
    console = Console(highlight=False)
    source = "standard input" if name == STANDARD_INPUT else name
    console.print(f"{source}, column “{found.column}”", markup=False)
    console.print(_bands(score))
    console.print(*_verdict(score), sep="\n")
    if found.rejected:
        _print_rejects(console, found)


def _bands(score: Score) -> Table:
    table = Table("", "scores", "n", "%")
    for column in table.columns[2:]:
        column.justify = "right"
    shares = percentages(list(score.bands.values()))
    for (band, scores), count, share in zip(
        score.metric.scores_by_band().items(), score.bands.values(), shares, strict=True
    ):
        if scores:
            table.add_row(f"{band}s", _span(scores), f"{count}", f"{share:.1f}")
    return table


def _span(scores: tuple[int, ...]) -> str:
    return f"{scores[0]}–{scores[-1]}" if len(scores) > 1 else f"{scores[0]}"


def _verdict(score: Score) -> Iterator[str]:
    name = score.metric.name if score.metric.name.isupper() else score.metric.key.capitalize()
    if score.value is None:
        yield f"[bold]{name}: none, since there are no answers[/bold]"
        return
    margin = f" ± {_rounded(score.margin_of_error, score.metric)}" if score.margin_of_error is not None else ""
    sign = "+" if score.metric.formula is Formula.NET and score.value > 0 else ""
    yield f"[bold]{name} {sign}{_rounded(score.value, score.metric)}{margin}[/bold]   n = {score.n}"
    if score.interval is not None:
        low, high = _rounded(score.interval.low, score.metric), _rounded(score.interval.high, score.metric)
        yield f"{100 * score.interval.level:.0f} % interval {low} to {high} ({METHODS[score.interval.method]})"


def _rounded(value: Fraction | float | None, metric: Metric) -> str:
    """Points to a tenth; an average of a few stars to a hundredth."""
    places = 2 if metric.formula is Formula.MEAN else 1
    return f"{rounded(value, places=places):.{places}f}"


def _print_rejects(console: Console, found: ScoreFile) -> None:
    console.print(f"[yellow]left out: {found.rejected} rows[/yellow]")
    reasons = Counter(reject.reason for reject in found.rejects)
    counted = ", ".join(f"{count} {REASONS[reason]}" for reason, count in reasons.most_common())
    of_those = f" among the first {len(found.rejects)}" if len(found.rejects) < found.rejected else ""
    console.print(f"  {counted}{of_those}")
    for reject in found.rejects[:REJECTS_SHOWN]:
        console.print(f"  line {reject.line}: {REASONS[reject.reason]} {reject.value!r}", markup=False)
