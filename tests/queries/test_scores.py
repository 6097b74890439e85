"""Scores from rollups equal a count of the rows: for every filter, group and period, whatever zones and clocks did."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import RowMapping, text

from app.db.engine import Engine
from app.domain.scores.grouping import Grouping, GroupKind, Segment
from app.domain.scores.period import day_begins_at
from app.domain.scores.scoring import Histogram
from app.domain.scores.segment import VARIANT
from app.operations.workspaces import create_workspace
from app.queries.scores import ScoreAnswer, ScoreQuestion, answer_score
from tests.answers import Answer, a_campaign, count_in, in_zone

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# Days of 23 and 25 hours, midnights skipped and repeated, a day that was left out, odd and far offsets.
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "America/St_Johns", "Asia/Beirut", "Asia/Kathmandu",
         "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe")  # fmt: skip
TURNS = [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)]

near_turns = st.builds(
    lambda turn, hours, minutes: turn + timedelta(hours=hours, minutes=minutes),
    st.sampled_from(TURNS), st.integers(-30, 30), st.sampled_from([0, 0, 1, 30, 45, 59]),
)  # fmt: skip
histories = st.lists(st.tuples(st.sampled_from(ZONES), st.randoms()), min_size=1, max_size=3)
bounds = st.none() | near_turns.map(datetime.date) | near_turns | near_turns
groupings = st.sampled_from(
    [None, *(Grouping(kind) for kind in GroupKind if kind is not GroupKind.PROPERTY)]
    + [Grouping(GroupKind.PROPERTY, key) for key in ("plan", "amount")]
)
segments = st.builds(Segment, st.just("plan"), st.sampled_from(["pro", "(other)", "true", "never seen"]))


@st.composite
def questions(draw: st.DrawFn) -> ScoreQuestion:
    grouping = draw(groupings)
    by_another = grouping is not None and grouping.segment_key in {"amount", VARIANT}
    return ScoreQuestion(
        from_=draw(bounds),
        until=draw(bounds),
        channels=draw(st.sampled_from([(), (), ("web",), ("web", "sms")])),
        survey_version=draw(st.sampled_from([None, None, 2])),
        segment=None if by_another else draw(st.none() | st.none() | segments),
        group_by=grouping,
    )


# Without shrinking: a history is large, and each look at it is slow; the question that failed says enough.
@settings(
    max_examples=50,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(history=histories, asked=st.lists(questions(), min_size=8, max_size=8))
async def test_scores_from_rollups_equal_a_count_of_the_rows(
    engine: Engine, history: Sequence[tuple[str, Random]], asked: Sequence[ScoreQuestion]
) -> None:
    workspace_id, zone = await _lived(engine, history)
    rows = await _rows(engine, workspace_id)
    for question in asked:
        if not _is_a_period(question, zone):
            continue
        async with engine.read() as tx:
            answer = await answer_score(tx, workspace_id, question, now=NOW)
        wanted = [row for row in rows if _belongs(row, question, zone)]
        assert answer.histogram == _histogram(wanted)
        _check_groups(answer, question, wanted)


async def _lived(engine: Engine, history: Sequence[tuple[str, Random]]) -> tuple[UUID, ZoneInfo]:
    """A workspace that moved from zone to zone and recorded in each."""
    async with engine.write() as tx:
        workspace_id = (await create_workspace(tx, "Alice", time_zone="UTC", now=NOW)).live_id
        await tx.execute(TRACK, {"workspace_id": workspace_id})
    campaigns = [await a_campaign(engine, workspace_id) for _ in range(2)]
    for number, (zone, random) in enumerate(history):
        await in_zone(engine, workspace_id, zone)
        await count_in(engine, workspace_id, campaigns[number % 2], [_an_answer(random) for _ in range(60)])
    return workspace_id, ZoneInfo(history[-1][0])


def _an_answer(random: Random) -> Answer:
    values = ["pro", "free", "", "team", "gold", "iron", 7, True, None, random.randrange(40)]
    return Answer(
        score=random.randrange(11),
        answered_at=random.choice(TURNS) + timedelta(minutes=random.randrange(-2400, 2400)),
        channel=random.choice(["email", "web", "sms"]),
        survey_version=random.choice([1, 2]),
        properties={"amount": random.choice(values)} if random.random() < 0.8 else {},
        recipient_properties={"plan": random.choice(values)} if random.random() < 0.8 else {},
        excluded=random.random() < 0.2,
        variant=random.choice([None, "a", "b"]),
    )


TRACK = text("""
    INSERT INTO tracked_properties (workspace_id, key, source, kind, buckets, value_limit, state) VALUES
        (:workspace_id, 'plan', 'recipient', 'text', NULL, 3, 'tracked'),
        (:workspace_id, 'amount', 'response', 'number', '[10, 20]', 100, 'tracked')
""")


async def _rows(engine: Engine, workspace_id: UUID) -> Sequence[RowMapping]:
    query = text("SELECT * FROM responses WHERE workspace_id = :id AND excluded_at IS NULL")
    async with engine.read() as tx:
        return (await tx.execute(query, {"id": workspace_id})).mappings().all()


def _is_a_period(question: ScoreQuestion, zone: ZoneInfo) -> bool:
    begins, ends = (_instant(said, zone) for said in (question.from_, question.until))
    return begins is None or ends is None or begins < ends


def _instant(said: date | datetime | None, zone: ZoneInfo) -> datetime | None:
    return said if said is None or isinstance(said, datetime) else day_begins_at(said, zone)


def _belongs(row: RowMapping, question: ScoreQuestion, zone: ZoneInfo) -> bool:
    segment = question.segment
    return (
        (question.from_ is None or not _is_before(row, question.from_, zone))
        and (question.until is None or _is_before(row, question.until, zone))
        and (not question.channels or row["channel"] in question.channels)
        and question.survey_version in {None, row["survey_version"]}
        and (segment is None or row["segments"].get(segment.key) == segment.value)
    )


def _is_before(row: RowMapping, said: date | datetime, zone: ZoneInfo) -> bool:
    if isinstance(said, datetime):
        day = said.astimezone(zone).date()
        if day_begins_at(day, zone) != said:
            return bool(row["answered_at"] < said)
        said = day
    return bool(row["counted_on"] < said)


def _histogram(rows: Sequence[RowMapping]) -> Histogram:
    return Histogram.of(row["score"] for row in rows)


GROUP: dict[GroupKind, Callable[[RowMapping], Any]] = {
    GroupKind.DAY: lambda row: row["counted_on"],
    GroupKind.WEEK: lambda row: date.fromisocalendar(*row["counted_on"].isocalendar()[:2], 1),
    GroupKind.MONTH: lambda row: row["counted_on"].replace(day=1),
    GroupKind.QUARTER: lambda row: date(row["counted_on"].year, (row["counted_on"].month - 1) // 3 * 3 + 1, 1),
    GroupKind.YEAR: lambda row: date(row["counted_on"].year, 1, 1),
    GroupKind.CHANNEL: lambda row: row["channel"],
    GroupKind.SURVEY_VERSION: lambda row: row["survey_version"],
    GroupKind.CAMPAIGN: lambda row: row["campaign_id"],
}


def _check_groups(answer: ScoreAnswer, question: ScoreQuestion, wanted: Sequence[RowMapping]) -> None:
    grouping = question.group_by
    if grouping is None:
        assert answer.groups is None
        return
    assert answer.groups is not None
    rows_of: dict[Any, list[RowMapping]] = defaultdict(list)
    for row in wanted:
        key = grouping.segment_key
        rows_of[row["segments"].get(key) if key else GROUP[grouping.kind](row)].append(row)
    assert {group.key: group.histogram for group in answer.groups if group.histogram.n} == {
        key: _histogram(rows) for key, rows in rows_of.items()
    }
    if grouping.grain is not None:
        _check_gapless(answer)


def _check_gapless(answer: ScoreAnswer) -> None:
    """Buckets follow one another, empty ones too, and together are what was asked for."""
    assert answer.groups is not None
    periods = [group.bucket.period for group in answer.groups if group.bucket]
    assert len(periods) == len(answer.groups)
    assert all(one.until_on == other.from_on for one, other in pairwise(periods))
    if periods and answer.span.start is not None:
        assert periods[0].from_on <= answer.span.start.day
    if periods:
        until_on = answer.span.end.first_day_after if answer.span.end else NOW.date()
        assert periods[-1].until_on >= until_on
