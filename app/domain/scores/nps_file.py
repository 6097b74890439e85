"""Scores out of any table of text: exports of other tools, spreadsheets, a column somebody typed."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from app.domain.errors import RuleViolation
from app.domain.scores.metric import NPS, Metric
from app.domain.scores.scoring import SLOTS, Histogram

KNOWN_COLUMNS = ("score", "nps", "rating", "value", "answer")  # best first
DELIMITERS = ",;\t|"  # on a tie the earlier wins
MOST_REJECTS_LISTED = 1_000  # all are counted; a file of nothing but rubbish must not fill the memory
BYTE_ORDER_MARK = "\ufeff"
# Spreadsheets write 9 as 9.0 or 9,0 when the column also has empty cells.
_NUMBER = re.compile(r"([+-]?[0-9]{1,9})(?:[.,]([0-9]{1,20}))?")


class ScoreColumnMissing(RuleViolation):
    """The file has no score column."""

    code = "score_column_missing"


class RejectReason(StrEnum):
    EMPTY = "empty"  # no answer in this row, or the row is too short
    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    OUT_OF_RANGE = "out_of_range"
    UNREADABLE = "unreadable"  # broken quoting


@dataclass(frozen=True, slots=True)
class Reject:
    """`line` is where the row begins, counted from 1 as an editor does; `value` is cut to 40 characters."""

    line: int
    reason: RejectReason
    value: str


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """`rejected` counts every row left out; `rejects` lists the first MOST_REJECTS_LISTED of them."""

    column: str
    delimiter: str
    histogram: Histogram
    rejected: int
    rejects: tuple[Reject, ...]


def read_scores(lines: Iterable[str], *, metric: Metric = NPS, column: str | None = None) -> ScoreFile:
    """Counts the scores in a file with a header row; open it with `newline=""`. Constant memory.

    The delimiter is found by trying; a byte order mark, Excel's `sep=;` line and blank lines do no harm.
    `column` is matched without regard to case; without it the first of KNOWN_COLUMNS present is taken.
    Raises ScoreColumnMissing.
    """
    source = iter(lines)
    skipped, first, delimiter = _beginning(source)
    wanted = KNOWN_COLUMNS if column is None else (_plain(column),)
    delimiter = delimiter or _sniff(first, wanted=wanted)
    rows = _rows(chain([first], source), delimiter=delimiter, skipped=skipped)
    _, header = next(rows, (0, None))
    at = _find_column(header or [], wanted=wanted)
    counts, rejected, rejects = _count(rows, at=at, metric=metric)
    return ScoreFile((header or [])[at].strip(), delimiter, Histogram(tuple(counts)), rejected, tuple(rejects))


def _beginning(lines: Iterator[str]) -> tuple[int, str, str]:
    """How many lines come before the header, the header's first line, and the delimiter if one is declared."""
    delimiter = ""
    for skipped, raw in enumerate(lines):
        line = raw.removeprefix(BYTE_ORDER_MARK) if skipped == 0 else raw
        declared = re.fullmatch(r"sep=([,;\t|])\s*", line, re.IGNORECASE)
        if declared:
            delimiter = declared[1]
        elif line.strip():
            return skipped, line, delimiter
    raise ScoreColumnMissing("The file is empty.", columns=[])


def _sniff(first: str, *, wanted: Sequence[str]) -> str:
    """The delimiter that brings a wanted column to light, or else the one that makes the most columns."""

    def fitness(delimiter: str) -> tuple[bool, int]:
        _, cells = next(_rows([first], delimiter=delimiter), (0, None))
        names = [_plain(cell) for cell in cells or []]
        return any(name in names for name in wanted), len(names)

    return max(DELIMITERS, key=fitness)


def _rows(lines: Iterable[str], *, delimiter: str, skipped: int = 0) -> Iterator[tuple[int, list[str] | None]]:
    """Rows with any content, and the line each begins on; None for a line that cannot be read.

    A stray quote makes all that follows one long cell. Reading strictly notices sooner or later; then only the line
    with the quote is given up, and reading goes on with the one after it, so that no row is lost without a word.
    """
    source = _Lines(lines, number=skipped)
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        line = source.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            source.return_all_but_first()
            yield line, None
        else:
            if any(cell.strip() for cell in cells):
                yield line, cells


class _Lines:
    """Physical lines, counted; those of the current row can be given back."""

    def __init__(self, lines: Iterable[str], *, number: int) -> None:
        self._source = iter(lines)
        self._number = number
        self._returned: deque[str] = deque()
        self._row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._source)
        self._number += 1
        self._row.append(line)
        return line

    def begin_row(self) -> int:
        self._row.clear()
        return self._number + 1

    def return_all_but_first(self) -> None:
        self._returned.extendleft(reversed(self._row[1:]))
        self._number -= len(self._row) - 1


def _find_column(header: Sequence[str], *, wanted: Sequence[str]) -> int:
    names = [_plain(cell) for cell in header]
    for name in wanted:
        if name in names:
            return names.index(name)
    found = ", ".join(cell.strip()[:40] for cell in header[:20]) or "none"
    looked_for = " or ".join(wanted)
    raise ScoreColumnMissing(f"No column is called {looked_for}; found: {found}.", columns=list(header))


def _plain(name: str) -> str:
    return name.strip().casefold()


def _count(
    rows: Iterable[tuple[int, list[str] | None]], *, at: int, metric: Metric
) -> tuple[list[int], int, list[Reject]]:
    counts, rejected, rejects = [0] * SLOTS, 0, list[Reject]()
    for line, cells in rows:
        cell = cells[at].strip() if cells and at < len(cells) else ""
        score = RejectReason.UNREADABLE if cells is None else _score_in(cell, metric=metric)
        if isinstance(score, int):
            counts[score] += 1
            continue
        rejected += 1
        if rejected <= MOST_REJECTS_LISTED:
            rejects.append(Reject(line, score, cell[:40]))
    return counts, rejected, rejects


def _score_in(cell: str, *, metric: Metric) -> int | RejectReason:
    if not cell:
        return RejectReason.EMPTY
    number = _NUMBER.fullmatch(cell)
    if number is None:
        return RejectReason.NOT_A_NUMBER
    whole, fraction = number.groups(default="")
    if fraction.strip("0"):
        return RejectReason.NOT_WHOLE
    return int(whole) if int(whole) in metric.scores else RejectReason.OUT_OF_RANGE
