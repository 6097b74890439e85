"""Rows out of delimited text, as its lines arrive. Quoted cells may hold line breaks; a broken row costs one row."""

import csv
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator

DELIMITERS = ",;\t|"  # on a tie the earlier wins
LONGEST_ROW = 500_000  # characters; a stray quote must not swallow the file
DECLARED = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)  # what Excel writes and reads


def delimiter_of(header: str, *, wanted: Collection[str]) -> str:
    """The one that brings most of the wanted columns to light, or else makes the most columns."""

    def fitness(delimiter: str) -> tuple[int, int]:
        names = [name.strip().strip('"').strip().casefold() for name in header.split(delimiter)]
        return sum(name in wanted for name in names), len(names)

    return max(DELIMITERS, key=fitness)


class DelimitedRows:
    """A stray quote makes all that follows one long cell. Reading strictly notices sooner or later; then only the
    line with the quote is given up, and reading goes on with the one after it.
    """

    def __init__(self, delimiter: str, *, lines_before: int) -> None:
        self._number = lines_before
        self._waiting: deque[str] = deque()
        self._row: list[str] = []
        self._row_length = 0
        self._ran_dry = False
        self._reader = csv.reader(self._lines(), delimiter=delimiter, skipinitialspace=True, strict=True)

    def feed(self, lines: Iterable[str], *, is_last: bool) -> Iterator[tuple[int, list[str] | None]]:
        """Each row with the number of the line it begins on; None for a line that cannot be read. Skips blank ones."""
        self._waiting.extend(lines)
        while self._waiting:
            line = self._number + 1
            self._row, self._row_length, self._ran_dry = [], 0, False
            try:
                cells = next(self._reader)
            except csv.Error:
                if self._ran_dry and not is_last:
                    self._give_back(self._row)
                    return
                self._give_back(self._row[1:])
                yield line, None
            else:
                if any(map(str.strip, cells)):
                    yield line, cells

    def _lines(self) -> "_Lines":
        return _Lines(self)

    def take_line(self) -> str:
        """For the reader. Raises StopIteration, csv.Error."""
        if not self._waiting:
            self._ran_dry = True
            raise StopIteration
        if self._row_length > LONGEST_ROW:
            raise csv.Error("row too long")
        line = self._waiting.popleft()
        self._number += 1
        self._row.append(line)
        self._row_length += len(line)
        return line

    def _give_back(self, lines: list[str]) -> None:
        self._waiting.extendleft(reversed(lines))
        self._number -= len(lines)


class _Lines:
    """An iterator that goes on after it has ended, when more has come."""

    def __init__(self, rows: DelimitedRows) -> None:
        self._rows = rows

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        return self._rows.take_line()
