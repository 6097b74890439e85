"""Rows out of delimited text, as its lines arrive. Quoted cells may hold line breaks; a broken row costs one row."""

import csv
import re
from collections.abc import Collection

Row = tuple[int, list[str] | None]

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
        self._delimiter = delimiter
        self._number = lines_before  # of the last line before those waiting
        self._waiting: list[str] = []
        self._ran_dry = False  # within the row that could not be read

    def feed(self, lines: list[str], *, is_last: bool) -> list[Row]:
        """Each row with the number of the line it begins on; None for a line that cannot be read. Skips blank ones."""
        self._waiting += lines
        rows: list[Row] = []
        while self._waiting:
            self._drop(self._read(rows))
            if not self._waiting or self._may_be_continued(is_last=is_last):
                break
            rows.append((self._number + 1, None))
            self._drop(1)
        return rows

    def _read(self, rows: list[Row]) -> int:
        """Up to the first that cannot be read. Returns how many lines they are."""
        reader = csv.reader(self._waiting, delimiter=self._delimiter, skipinitialspace=True, strict=True)
        done, self._ran_dry = 0, False
        try:
            for cells in reader:
                if any(map(str.strip, cells)):
                    rows.append((self._number + done + 1, cells))
                done = reader.line_num
        except csv.Error:
            self._ran_dry = reader.line_num == len(self._waiting)
        return done

    def _drop(self, count: int) -> None:
        del self._waiting[:count]
        self._number += count

    def _may_be_continued(self, *, is_last: bool) -> bool:
        return self._ran_dry and not is_last and sum(map(len, self._waiting)) <= LONGEST_ROW
