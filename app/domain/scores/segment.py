"""Tracked properties: which slice of the answers a response is counted in.

The rules are few and textual on purpose: bulk recording applies the same ones in SQL, and a test compares both.

    value                  kind text                    kind number         kind date
    string                 its first 100 characters     not counted         its first 10, if shaped YYYY-MM-DD
    number                 canonical text               bucket, or text     not counted
    true, false            "true", "false"              not counted         not counted
    "", null, [], {}, –    not counted                  not counted         not counted

*Canonical text* of a number: plain decimal, no exponent, no superfluous zeros, no −0 (PostgreSQL: trim_scale(…)::text).
"""

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TypeGuard

from app.domain.errors import RuleViolation

PROPERTY_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST_LABEL = 100  # characters
MOST_BOUNDARIES = 50
MOST_VALUES = 1_000
OTHER = "(other)"
VARIANT = "@variant"  # of what was asked: counted like a property, but none can be called that
# Shape only: 2026-02-31 counts as February, as it would by reading it.
DATE_SHAPE = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ].*)?", re.DOTALL)


class TrackedPropertyInvalid(RuleViolation):
    """The tracked property is not valid."""

    code = "tracked_property_invalid"


class PropertySource(StrEnum):
    RECIPIENT = "recipient"  # as it was when the answer came
    RESPONSE = "response"


class PropertyKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


class DateBucket(StrEnum):
    MONTH = "month"  # 2026-11
    QUARTER = "quarter"  # 2026-Q4
    YEAR = "year"  # 2026


Buckets = tuple[float, ...] | DateBucket | None


@dataclass(frozen=True, slots=True)
class TrackedProperty:
    """Buckets of numbers are ascending boundaries, each opening the next bucket; dates without buckets go by day."""

    key: str
    source: PropertySource
    kind: PropertyKind
    buckets: Buckets = None
    value_limit: int = 100

    def __post_init__(self) -> None:
        """Raises TrackedPropertyInvalid."""
        if not PROPERTY_KEY.fullmatch(self.key):
            detail = "A key begins with a letter and has up to 40 of a–z, 0–9 and _."
            raise TrackedPropertyInvalid(detail, pointer="/key")
        if not 1 <= self.value_limit <= MOST_VALUES:
            raise TrackedPropertyInvalid(f"Track between 1 and {MOST_VALUES} values.", pointer="/value_limit")
        _check_buckets(self.buckets, kind=self.kind)

    def label(self, value: object) -> str | None:
        return segment_label(value, kind=self.kind, buckets=self.buckets)


def buckets_from_json(content: object) -> Buckets:
    """Reads the stored form: a list of boundaries, a date bucket's name, or null. Raises TrackedPropertyInvalid."""
    if content is None:
        return None
    if isinstance(content, str) and content in list(DateBucket):
        return DateBucket(content)
    if isinstance(content, list | tuple) and all(_is_number(boundary) for boundary in content):
        return tuple(content)
    raise TrackedPropertyInvalid("Buckets are a list of numbers, or month, quarter or year.", pointer="/buckets")


def _check_buckets(buckets: Buckets, *, kind: PropertyKind) -> None:
    if buckets is None:
        return
    fitting = PropertyKind.DATE if isinstance(buckets, DateBucket) else PropertyKind.NUMBER
    if kind is not fitting:
        raise TrackedPropertyInvalid(f"These buckets are for a {fitting}, not for a {kind}.", pointer="/buckets")
    if isinstance(buckets, DateBucket):
        return
    if not 1 <= len(buckets) <= MOST_BOUNDARIES or not all(_is_number(boundary) for boundary in buckets):
        detail = f"Boundaries are between 1 and {MOST_BOUNDARIES} finite numbers."
        raise TrackedPropertyInvalid(detail, pointer="/buckets")
    if any(_exact(low) >= _exact(high) for low, high in pairwise(buckets)):
        raise TrackedPropertyInvalid("Boundaries ascend, none twice.", pointer="/buckets")


def segment_label(value: object, *, kind: PropertyKind, buckets: Buckets = None) -> str | None:
    """The segment of a JSON value; None where it is not counted. Buckets of the other kind are ignored."""
    match kind:
        case PropertyKind.TEXT:
            return _text_label(value)
        case PropertyKind.NUMBER:
            boundaries = buckets if isinstance(buckets, tuple) else ()
            return _number_label(value, boundaries) if _is_number(value) else None
        case PropertyKind.DATE:
            date_bucket = buckets if isinstance(buckets, DateBucket) else None
            return _date_label(value, date_bucket) if isinstance(value, str) else None


def bucket_labels(boundaries: Sequence[float]) -> list[str]:
    """One more than there are boundaries: below the first, between each two, from the last on.

    PostgreSQL: `labels[1 + width_bucket(value, boundaries)]`, both numeric.
    """
    ends = [canonical_number(boundary) for boundary in boundaries]
    between = [f"{low}–<{high}" for low, high in pairwise(ends)]
    return [f"<{ends[0]}", *between, f"≥{ends[-1]}"]


def canonical_number(value: float) -> str:
    """Plain decimal text of any finite number, whole or not."""
    exact = _exact(value)
    text = format(exact, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if exact else "0"


def label_under_cap(label: str, *, known: Collection[str], value_limit: int) -> str:
    """The label itself while there is room for it beside those already counted, else OTHER."""
    return label if label in known or len(known) < value_limit else OTHER


def _text_label(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value[:LONGEST_LABEL] or None
    return canonical_number(value)[:LONGEST_LABEL] if _is_number(value) else None


def _number_label(value: float, boundaries: Sequence[float]) -> str:
    if not boundaries:
        return canonical_number(value)[:LONGEST_LABEL]
    exact = [_exact(boundary) for boundary in boundaries]
    return bucket_labels(boundaries)[bisect_right(exact, _exact(value))]


def _date_label(value: str, date_bucket: DateBucket | None) -> str | None:
    shaped = DATE_SHAPE.fullmatch(value)
    if not shaped:
        return None
    year, month = shaped[1], shaped[2]
    match date_bucket:
        case DateBucket.YEAR:
            return year
        case DateBucket.QUARTER:
            return f"{year}-Q{(int(month) + 2) // 3}"
        case DateBucket.MONTH:
            return f"{year}-{month}"
        case None:
            return value[:10]


def _is_number(value: object) -> TypeGuard[float]:
    """JSON's numbers only: Python's True is an int, and infinity cannot be written."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _exact(value: float) -> Decimal:
    """The number that JSON text carries: 1e23 is 10²³ here and in PostgreSQL, not the nearest binary fraction."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))
