"""A file of recipients, read piece by piece: CSV with a header, or a JSON object on each line."""

import codecs
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from app.domain.errors import DomainError, RuleViolation
from app.domain.people.delimited import DECLARED, DelimitedRows, delimiter_of
from app.domain.people.recipient import RecipientInput
from app.domain.people.recipient_columns import KNOWN_NAMES, Columns, FileUnreadable, columns_of
from app.domain.people.recipient_json import recipient_from_json

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16 = (b"\xff", b"\xfe")  # how its mark begins, in either order of bytes
LONGEST_LINE = 1_000_000  # bytes


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


class RowUnreadable(RuleViolation):
    """The row cannot be read."""

    code = "row_unreadable"


# The number of the line, and what was read of it: cells, or JSON; None where even that failed.
Row = tuple[int, Any]


class RecipientFile(Protocol):
    def rows(self, piece: bytes, *, is_last: bool) -> list[Row]:
        """The rows that end in this piece. Raises FileUnreadable."""

    def said(self, rows: Sequence[Row]) -> list[RecipientInput | DomainError]:
        """What each row says, or why it says nothing."""


def recipient_file(form: FileFormat, workspace_id: UUID) -> RecipientFile:
    return CsvFile(workspace_id) if form is FileFormat.CSV else NdjsonFile(workspace_id)


class CsvFile:
    def __init__(self, workspace_id: UUID) -> None:
        self._workspace_id = workspace_id
        self._text = TextLines()
        self._rows: DelimitedRows | None = None
        self._columns: Columns | None = None
        self._lines_before = 0
        self._delimiter = ""

    def rows(self, piece: bytes, *, is_last: bool) -> list[Row]:
        lines = self._text.lines(piece, is_last=is_last)
        if self._rows is None:
            lines = self._begin(lines)
        rows = self._rows.feed(lines, is_last=is_last) if self._rows is not None else []
        if self._columns is None and rows:
            self._columns = columns_of(rows.pop(0)[1])
        if self._columns is None and is_last:
            raise FileUnreadable("The file is empty.")
        return rows

    def said(self, rows: Sequence[Row]) -> list[RecipientInput | DomainError]:
        return [self._said(cells) for _, cells in rows]

    def _said(self, cells: list[str] | None) -> RecipientInput | DomainError:
        if cells is None or self._columns is None:
            return RowUnreadable("The quotes of this row do not match.")
        try:
            return self._columns.said(cells, workspace_id=self._workspace_id)
        except DomainError as error:
            return error

    def _begin(self, lines: list[str]) -> list[str]:
        """Skips what comes before the header, and finds out the delimiter."""
        for at, line in enumerate(lines):
            declared = DECLARED.fullmatch(line)
            if declared:
                self._delimiter = declared[1]
            elif line.strip():
                delimiter = self._delimiter or delimiter_of(line, wanted=KNOWN_NAMES)
                self._rows = DelimitedRows(delimiter, lines_before=self._lines_before + at)
                return lines[at:]
        self._lines_before += len(lines)
        return []


class NdjsonFile:
    def __init__(self, workspace_id: UUID) -> None:
        self._workspace_id = workspace_id
        self._text = TextLines()
        self._number = 0
        self._has_rows = False

    def rows(self, piece: bytes, *, is_last: bool) -> list[Row]:
        lines = self._text.lines(piece, is_last=is_last)
        rows = [(number, line) for number, line in enumerate(lines, start=self._number + 1) if line.strip()]
        self._number += len(lines)
        self._has_rows = self._has_rows or bool(rows)
        if is_last and not self._has_rows:
            raise FileUnreadable("The file is empty.")
        return rows

    def said(self, rows: Sequence[Row]) -> list[RecipientInput | DomainError]:
        return [self._said(number, line) for number, line in rows]

    def _said(self, number: int, line: str) -> RecipientInput | DomainError:
        try:
            return recipient_from_json(line, number=number, workspace_id=self._workspace_id)
        except DomainError as error:
            return error


class TextCheck:
    """Finds out while a file arrives that it is not UTF-8, before anybody of it is stored."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._lines = 0

    def accepts(self, piece: bytes, *, is_last: bool = False) -> bool:
        """Also whether it accepted all before."""
        if self.fault is None:
            try:
                self._decoder.decode(piece, final=is_last)
            except UnicodeDecodeError as error:
                self.fault = _not_utf_8(error, lines_before=self._lines).detail
            self._lines += piece.count(b"\n")
        return self.fault is None


class TextLines:
    """Bytes in, whole lines out, each with its line break. A byte order mark does no harm."""

    def __init__(self) -> None:
        self._rest = b""
        self._number = 0
        self._has_begun = False

    def lines(self, piece: bytes, *, is_last: bool) -> list[str]:
        """Raises FileUnreadable."""
        piece = self._rest + piece
        if not self._has_begun and (len(piece) >= len(BYTE_ORDER_MARK) or is_last):
            piece = piece.removeprefix(BYTE_ORDER_MARK)
            self._has_begun = True
        end = len(piece) if is_last else piece.rfind(b"\n") + 1
        whole, self._rest = piece[:end], piece[end:]
        if len(self._rest) > LONGEST_LINE:
            number = self._number + whole.count(b"\n") + 1
            raise FileUnreadable(f"Line {number} is longer than {LONGEST_LINE} bytes.")
        lines = self._decoded(whole).split("\n")
        last = lines.pop()
        found = [f"{line}\n" for line in lines]
        if last:
            found.append(last)
        self._number += len(found)
        return found

    def _decoded(self, whole: bytes) -> str:
        try:
            return whole.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf_8(error, lines_before=self._number) from None


def _not_utf_8(error: UnicodeDecodeError, *, lines_before: int) -> FileUnreadable:
    if lines_before == 0 and error.start == 0 and error.object.startswith(UTF_16):
        return FileUnreadable("The file is UTF-16. Save it as UTF-8 and send it again.")
    line = lines_before + error.object.count(b"\n", 0, error.start) + 1
    return FileUnreadable(f"Line {line} is not UTF-8. Save the file as UTF-8 and send it again.")
