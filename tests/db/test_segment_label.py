"""Bulk recording labels segments in SQL, everything else in Python. Both must agree on every value."""

import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.db.engine import Engine
from app.domain.scores.segment import DateBucket, PropertyKind, TrackedProperty, buckets_from_json

LABEL = "SELECT segment_label($1::jsonb, $2, $3::jsonb)"

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=120)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
dates = st.dates().map(str) | st.datetimes().map(str) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T x\n]?.{0,3}")
values = st.one_of(
    texts, numbers, dates.filter(lambda text: "\0" not in text), st.booleans(), st.none(),
    st.just([]), st.just({}), st.just(["a"]), st.just({"a": 1}),
)  # fmt: skip
boundaries = st.lists(numbers, min_size=1, max_size=6, unique_by=float).map(sorted)
declared = st.one_of(
    st.tuples(st.just(PropertyKind.TEXT), st.none()),
    st.tuples(st.just(PropertyKind.NUMBER), st.none() | boundaries),
    st.tuples(st.just(PropertyKind.DATE), st.none() | st.sampled_from(DateBucket).map(str)),
)


@pytest.fixture(scope="module")
async def postgres(engine: Engine) -> AsyncIterator[asyncpg.Connection]:
    connection = await engine.connect()
    yield connection
    await connection.close()


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=values, declaration=declared)
@example("", (PropertyKind.TEXT, None))
@example("é" * 101, (PropertyKind.TEXT, None))
@example(1e23, (PropertyKind.TEXT, None))
@example(-0.0, (PropertyKind.NUMBER, None))
@example(5e-324, (PropertyKind.NUMBER, None))
@example(10, (PropertyKind.NUMBER, [10, 20.5]))
@example(20.5, (PropertyKind.NUMBER, [10, 20.5]))
@example(9.999, (PropertyKind.NUMBER, [10.0, 20.5]))
@example(0.3, (PropertyKind.NUMBER, [0.30000000000000004]))
@example(True, (PropertyKind.NUMBER, None))
@example("2026-02-31T25:00", (PropertyKind.DATE, "quarter"))
@example("2026-12-01 \n", (PropertyKind.DATE, "quarter"))
@example("2026-12-01\n", (PropertyKind.DATE, None))
@example("२०२६-12-01", (PropertyKind.DATE, None))
async def test_sql_and_python_give_a_value_the_same_segment(
    postgres: asyncpg.Connection, value: object, declaration: tuple[PropertyKind, object]
) -> None:
    kind, buckets = declaration
    tracked = TrackedProperty("key", source="response", kind=kind, buckets=buckets_from_json(buckets))
    label = await postgres.fetchval(LABEL, json.dumps(value), kind.value, json.dumps(buckets))
    assert label == tracked.label(value)


async def test_a_property_that_is_absent_is_in_no_segment(postgres: asyncpg.Connection) -> None:
    assert await postgres.fetchval(LABEL, None, "text", None) is None


@pytest.mark.parametrize(("kind", "buckets"), [("number", "month"), ("number", []), ("date", [1, 2])])
async def test_buckets_of_the_other_kind_are_ignored(postgres: asyncpg.Connection, kind: str, buckets: object) -> None:
    value = "2026-11-22" if kind == "date" else 12
    assert await postgres.fetchval(LABEL, json.dumps(value), kind, json.dumps(buckets)) == str(value)
