"""Codes that everybody gets who answers, one each, whatever they answered.

There is no way to give them to one band only: whoever pays promoters has bought their score.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from app.domain.errors import Conflict, RuleViolation
from app.domain.people.properties import UNSTORABLE

LONGEST_CODE = 100  # characters
MOST_CODES = 10_000  # in one upload
HEADINGS = frozenset({"code", "codes"})


class RewardCodesInvalid(RuleViolation):
    """The reward codes cannot be read."""

    code = "reward_codes_invalid"


class RewardCodesExhausted(Conflict):
    """There is no reward code left to give."""

    code = "reward_codes_exhausted"


def read_codes(file: bytes, *, is_json_lines: bool) -> list[str]:
    """From a CSV (its first column, with or without the heading `code`), or JSON lines. Raises RewardCodesInvalid."""
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RewardCodesInvalid("The file is not UTF-8.", pointer="") from None
    lines = _of_json_lines(text) if is_json_lines else _of_csv(text)
    return checked_codes(lines, pointer="")


def checked_codes(codes: Iterable[Any], *, pointer: str = "/codes") -> list[str]:
    """Each once, in order. Raises RewardCodesInvalid."""
    found: dict[str, None] = {}
    for place, code in enumerate(codes):
        if place >= MOST_CODES:
            raise RewardCodesInvalid(f"Send at most {MOST_CODES} codes at once.", pointer=pointer)
        if not isinstance(code, str) or not _is_usable(code.strip()):
            detail = f"Code {place + 1} is not one line of 1 to {LONGEST_CODE} characters."
            raise RewardCodesInvalid(detail, pointer=f"{pointer}/{place}" if pointer else "")
        found[code.strip()] = None
    if not found:
        raise RewardCodesInvalid("There are no codes in it.", pointer=pointer)
    return list(found)


def _of_csv(text: str) -> Iterator[str]:
    rows = csv.reader(text.splitlines(), strict=True)
    try:
        first = next(rows, [])
        if first and first[0].strip().lower() not in HEADINGS:
            yield first[0]
        yield from (row[0] for row in rows if row)
    except csv.Error as error:
        raise RewardCodesInvalid(f"Line {rows.line_num} cannot be read: {error}.", pointer="") from None


def _of_json_lines(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        if line.strip():
            try:
                said = json.loads(line)
            except (ValueError, RecursionError):
                said = None
            yield said.get("code") if isinstance(said, dict) else said


def _is_usable(code: str) -> bool:
    return 1 <= len(code) <= LONGEST_CODE and code.isprintable() and not UNSTORABLE.search(code)
