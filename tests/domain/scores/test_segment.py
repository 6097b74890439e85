import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.scores.segment import (
    OTHER,
    DateBucket,
    PropertyKind,
    PropertySource,
    TrackedProperty,
    TrackedPropertyInvalid,
    bucket_labels,
    buckets_from_json,
    canonical_number,
    label_under_cap,
    segment_label,
)

TEXT, NUMBER, DATE = PropertyKind.TEXT, PropertyKind.NUMBER, PropertyKind.DATE
WHOLE = st.integers(-(10**30), 10**30)
NUMBERS = WHOLE | WHOLE.map(float) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats() | st.text(max_size=120)
BOUNDARIES = st.lists(NUMBERS, min_size=1, max_size=8).map(
    lambda numbers: tuple({Decimal(repr(number)): number for number in sorted(numbers)}.values())
)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("pro", "pro"),
        (" Pro ", " Pro "),
        ("é" * 150, "é" * 100),
        ("", None),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (7.0, "7"),
        (1200.0, "1200"),
        (-0.0, "0"),
        (0.10, "0.1"),
        (1e21, "1000000000000000000000"),
        (1.5e-7, "0.00000015"),
        (10**120, "1" + "0" * 99),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
        (["pro"], None),
        ({"plan": "pro"}, None),
    ],
)
def test_texts_are_labels_as_they_stand(value: object, label: str | None) -> None:
    assert segment_label(value, kind=TEXT) == label


@given(NUMBERS)
def test_the_canonical_text_is_the_same_number_written_plainly(value: float) -> None:
    text = canonical_number(value)
    assert Decimal(text) == Decimal(json.dumps(value))
    assert set(text) <= set("-.0123456789")
    assert text not in {"-0", ""}
    assert "." not in text or text[-1] not in "0."


@pytest.mark.parametrize(
    ("value", "label"),
    [(-3, "<10"), (9.999, "<10"), (10, "10–<20"), (19, "10–<20"), (20, "20–<50.5"), (50.5, "≥50.5"), (1e300, "≥50.5")],
)
def test_a_boundary_opens_its_bucket(value: float, label: str) -> None:
    assert segment_label(value, kind=NUMBER, buckets=(10, 20, 50.5)) == label


def test_one_boundary_makes_two_buckets() -> None:
    assert bucket_labels((0,)) == ["<0", "≥0"]


@given(NUMBERS, BOUNDARIES)
def test_a_number_is_in_the_bucket_between_the_boundaries_around_it(
    value: float, boundaries: tuple[float, ...]
) -> None:
    passed = sum(1 for boundary in boundaries if Decimal(repr(boundary)) <= Decimal(repr(value)))
    labels = bucket_labels(boundaries)
    assert segment_label(value, kind=NUMBER, buckets=boundaries) == labels[passed]
    assert len(set(labels)) == len(boundaries) + 1


def test_a_number_counts_as_it_is_written_not_as_binary_fractions_have_it() -> None:
    assert 10**23 > 1e23  # the trap: the nearest binary fraction lies below
    assert segment_label(1e23, kind=NUMBER, buckets=(10**23,)) == f"≥{10**23}"


@pytest.mark.parametrize("value", ["12", True, None, "", [12], float("nan")])
def test_what_is_not_a_number_is_not_counted_among_numbers(value: object) -> None:
    assert segment_label(value, kind=NUMBER) is None
    assert segment_label(value, kind=NUMBER, buckets=(10,)) is None


def test_numbers_without_buckets_are_their_own_labels() -> None:
    assert segment_label(12.50, kind=NUMBER) == "12.5"


@pytest.mark.parametrize(
    ("value", "day", "month", "quarter", "year"),
    [
        ("2026-11-22", "2026-11-22", "2026-11", "2026-Q4", "2026"),
        ("2026-01-31T23:59:59+01:00", "2026-01-31", "2026-01", "2026-Q1", "2026"),
        ("2026-04-01 08:00", "2026-04-01", "2026-04", "2026-Q2", "2026"),
        ("2026-09-30T", "2026-09-30", "2026-09", "2026-Q3", "2026"),
        ("2026-02-31", "2026-02-31", "2026-02", "2026-Q1", "2026"),
    ],
)
def test_dates_are_read_from_their_first_ten_characters(
    value: str, day: str, month: str, quarter: str, year: str
) -> None:
    labels = [segment_label(value, kind=DATE, buckets=bucket) for bucket in (None, *DateBucket)]
    assert labels == [day, month, quarter, year]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-00-10",
        "2026-11-32",
        "2026-11-00",
        "22.11.2026",
        " 2026-11-22",
        "2026-11-22\n",
        "2026-11-223",
        "2026-1-2",
        "٢٠٢٦-11-22",
        20261122,
        True,
        None,
    ],
)
def test_what_is_not_shaped_like_a_date_is_not_counted_among_dates(value: object) -> None:
    assert segment_label(value, kind=DATE) is None
    assert segment_label(value, kind=DATE, buckets=DateBucket.YEAR) is None


@given(SCALARS, st.sampled_from(PropertyKind), st.none() | st.sampled_from(DateBucket) | BOUNDARIES)
def test_a_label_is_short_and_never_empty(
    value: object, kind: PropertyKind, buckets: tuple[float, ...] | DateBucket | None
) -> None:
    label = segment_label(value, kind=kind, buckets=buckets)
    assert label is None or isinstance(buckets, tuple) or 1 <= len(label) <= 100


@pytest.mark.parametrize("key", ["", "Plan", "1st", "_plan", "plan-b", "a" * 41, "plan\n", "plän"])
def test_keys_are_plain_lower_case_names(key: str) -> None:
    with pytest.raises(TrackedPropertyInvalid) as refused:
        TrackedProperty(key, PropertySource.RECIPIENT, TEXT)
    assert refused.value.pointer == "/key"
    TrackedProperty("a" * 40, PropertySource.RESPONSE, TEXT)


@pytest.mark.parametrize(
    ("kind", "buckets"),
    [
        (TEXT, (1, 2)),
        (TEXT, DateBucket.MONTH),
        (NUMBER, DateBucket.MONTH),
        (DATE, (1, 2)),
        (NUMBER, ()),
        (NUMBER, (2, 1)),
        (NUMBER, (1, 1.0)),
        (NUMBER, (1, float("inf"))),
        (NUMBER, tuple(range(51))),
    ],
)
def test_buckets_must_fit_the_kind_and_ascend(kind: PropertyKind, buckets: tuple[float, ...] | DateBucket) -> None:
    with pytest.raises(TrackedPropertyInvalid) as refused:
        TrackedProperty("spend", PropertySource.RECIPIENT, kind, buckets)
    assert refused.value.pointer == "/buckets"


@pytest.mark.parametrize("value_limit", [0, -1, 1001])
def test_the_number_of_values_tracked_is_bounded(value_limit: int) -> None:
    with pytest.raises(TrackedPropertyInvalid) as refused:
        TrackedProperty("plan", PropertySource.RECIPIENT, TEXT, value_limit=value_limit)
    assert refused.value.pointer == "/value_limit"


def test_a_tracked_property_labels_by_its_own_rules() -> None:
    assert TrackedProperty("age", PropertySource.RECIPIENT, NUMBER, (18, 65)).label(18) == "18–<65"
    assert TrackedProperty("plan", PropertySource.RECIPIENT, TEXT).label(18) == "18"


@pytest.mark.parametrize(
    ("content", "buckets"), [(None, None), ("quarter", DateBucket.QUARTER), ([1, 2.5], (1, 2.5)), ([], ())]
)
def test_buckets_are_read_back_from_json(content: object, buckets: object) -> None:
    assert buckets_from_json(content) == buckets


@pytest.mark.parametrize("content", ["week", 5, [1, "2"], [True], {"month": 1}])
def test_other_json_is_refused_as_buckets(content: object) -> None:
    with pytest.raises(TrackedPropertyInvalid):
        buckets_from_json(content)


def test_values_beyond_the_cap_are_counted_together_and_known_ones_keep_their_name() -> None:
    known: set[str] = set()
    labels = []
    for label in ["a", "b", "c", "a", "d", "b"]:
        labels.append(label_under_cap(label, known=known, value_limit=2))
        known |= {labels[-1]} - {OTHER}
    assert labels == ["a", "b", OTHER, "a", OTHER, "b"]
