from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.asking_parts import Journey
from app.domain.asking.blackouts import Blackout
from app.domain.asking.eligibility import SOON, Ask, Decision, Person, Reason, Rules, Send, Skip, Wait, Wanted, decide
from app.domain.asking.sending_window import SendingWindow, is_open
from app.domain.scores.period import zone_named

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
UTC_ZONE = zone_named("UTC")
DAY = timedelta(days=1)
ADA = Person(UTC_ZONE)
RULES = Rules()
WANTED = Wanted()
ORDER = Journey("order", least_gap_hours=24, most_per_person=2)
OFFICE_HOURS = SendingWindow(opens_at=time(9), closes_at=time(17))


def of_ada(**facts: object) -> Person:
    return replace(ADA, **facts)


def test_whom_nothing_holds_back_is_asked() -> None:
    assert decide(ADA, WANTED, RULES, NOW) == Send()


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (of_ada(erased_at=NOW), Reason.ERASED),
        (of_ada(unsubscribed_at=NOW), Reason.UNSUBSCRIBED),
        (of_ada(complained_at=NOW), Reason.COMPLAINED),
        (of_ada(bounced_at=NOW), Reason.BOUNCED),
        (of_ada(has_address=False), Reason.NO_ADDRESS),
    ],
)
@pytest.mark.parametrize("is_reminder", [False, True])
def test_the_suppressed_are_never_asked_nor_reminded(person: Person, reason: Reason, *, is_reminder: bool) -> None:
    assert decide(person, replace(WANTED, is_reminder=is_reminder), RULES, NOW) == Skip(reason)


@pytest.mark.parametrize(
    ("wanted", "rules", "decision"),
    [
        (Wanted(answered_at=NOW - DAY), RULES, Send()),  # long before, of a campaign that takes many answers
        (Wanted(answered_at=NOW - DAY), replace(RULES, one_answer_each=True), Skip(Reason.ALREADY_ANSWERED)),
        (Wanted(answered_at=NOW - DAY, planned_at=NOW - 2 * DAY), RULES, Skip(Reason.ALREADY_ANSWERED)),
        (Wanted(answered_at=NOW - 100 * DAY, planned_at=NOW - DAY, is_reminder=True), RULES, Send()),  # an earlier ask
        (Wanted(answered_at=NOW, planned_at=NOW - DAY, is_reminder=True), RULES, Skip(Reason.ALREADY_ANSWERED)),
    ],
)
def test_who_has_answered_is_left_alone(wanted: Wanted, rules: Rules, decision: Decision) -> None:
    assert decide(ADA, wanted, rules, NOW) == decision


@pytest.mark.parametrize(
    ("wanted", "rules", "reason"),
    [
        (Wanted(latest_at=NOW), RULES, Reason.TOO_LATE),
        (Wanted(is_in_audience=False), RULES, Reason.NOT_IN_AUDIENCE),
        (Wanted(is_listed=False), RULES, Reason.NOT_IN_AUDIENCE),
        (Wanted(is_listed=False, is_reminder=True), RULES, Reason.NOT_IN_AUDIENCE),
        (Wanted(is_of_another_trigger=True), RULES, Reason.TRIGGER_CHANGED),
        (Wanted(is_date_moved=True), RULES, Reason.DATE_MOVED),
        (WANTED, replace(RULES, is_running=False), Reason.CAMPAIGN_NOT_RUNNING),
    ],
)
def test_what_is_over_is_not_sent(wanted: Wanted, rules: Rules, reason: Reason) -> None:
    assert decide(ADA, wanted, rules, NOW) == Skip(reason)


def test_the_quarantine_is_waited_for_to_the_second() -> None:
    asked = of_ada(asked_at=NOW - 90 * DAY + timedelta(seconds=1))

    assert decide(asked, WANTED, RULES, NOW) == Wait(NOW + timedelta(seconds=1), Reason.QUARANTINE)
    assert decide(asked, WANTED, RULES, NOW + timedelta(seconds=1)) == Send()


def test_who_is_not_free_in_time_is_skipped_with_the_reason() -> None:
    asked = of_ada(asked_at=NOW - DAY)

    assert decide(asked, Wanted(latest_at=NOW + 14 * DAY), RULES, NOW) == Skip(Reason.QUARANTINE)


def test_reminders_keep_no_quarantine() -> None:
    assert decide(of_ada(asked_at=NOW - DAY), Wanted(is_reminder=True), RULES, NOW) == Send()


def test_reminders_go_to_those_whom_being_asked_took_out_of_the_audience() -> None:
    assert decide(ADA, Wanted(is_in_audience=False, is_reminder=True), RULES, NOW) == Send()


def in_journey(*asks: Ask, asked_at: datetime | None = None) -> Decision:
    person = of_ada(asks=asks, asked_at=asked_at or max((ask.at for ask in asks), default=None))
    return decide(person, WANTED, replace(RULES, journey=ORDER), NOW)


def test_within_a_journey_a_gap_replaces_the_quarantine() -> None:
    assert in_journey(Ask(NOW - DAY, "order")) == Send()
    assert in_journey(Ask(NOW - timedelta(hours=23), "order")) == Wait(NOW + timedelta(hours=1), Reason.JOURNEY_GAP)


def test_a_journey_asks_only_so_often_within_one_quarantine() -> None:
    first = NOW - 80 * DAY

    assert in_journey(Ask(first, "order"), Ask(NOW - 5 * DAY, "order")) == Wait(first + 90 * DAY, Reason.JOURNEY_FULL)


def test_other_asks_count_within_a_journey_as_everywhere() -> None:
    asked = NOW - 10 * DAY

    assert in_journey(Ask(asked), Ask(NOW - 5 * DAY, "order")) == Wait(asked + 90 * DAY, Reason.QUARANTINE)
    assert in_journey(asked_at=asked) == Wait(asked + 90 * DAY, Reason.QUARANTINE)


def test_a_more_important_campaign_comes_first() -> None:
    soon = replace(WANTED, reserved_for_at=NOW + 3 * DAY)

    assert decide(ADA, soon, RULES, NOW) == Wait(NOW + 3 * DAY + timedelta(minutes=1), Reason.RESERVED)
    assert decide(ADA, replace(WANTED, reserved_for_at=NOW + SOON + DAY), RULES, NOW) == Send()
    assert decide(ADA, soon, replace(RULES, quarantine=timedelta(0)), NOW) != Send()  # nor by who minds no quarantine


def test_an_account_that_renews_soon_is_left_alone_until_it_has() -> None:
    rules = replace(RULES, hold_renewal_within_days=30)

    held = decide(of_ada(renews_on=date(2026, 12, 1)), WANTED, rules, NOW)

    assert held == Wait(NOW + 7 * DAY, Reason.RENEWAL_NEAR)
    assert decide(of_ada(renews_on=date(2026, 11, 24)), WANTED, rules, NOW) == Send()
    assert decide(of_ada(renews_on=date(2027, 1, 31)), WANTED, rules, NOW) == Send()


@pytest.mark.parametrize("is_reminder", [False, True])
def test_whoever_is_looked_after_is_left_alone_day_by_day(*, is_reminder: bool) -> None:
    looked_after, wanted = of_ada(has_open_follow_up=True), Wanted(is_reminder=is_reminder)
    rules = replace(RULES, hold_open_follow_up=True)

    assert decide(looked_after, wanted, rules, NOW) == Wait(NOW + DAY, Reason.FOLLOW_UP_OPEN)
    assert decide(looked_after, wanted, RULES, NOW) == Send()
    assert decide(ADA, wanted, rules, NOW) == Send()
    assert decide(looked_after, Wanted(latest_at=NOW + DAY), rules, NOW) == Skip(Reason.FOLLOW_UP_OPEN)


def test_the_window_is_that_of_the_persons_own_clock() -> None:
    rules = replace(RULES, window=OFFICE_HOURS)

    in_auckland = decide(of_ada(zone=zone_named("Pacific/Auckland")), WANTED, rules, NOW)  # one in the morning there

    assert decide(ADA, WANTED, rules, NOW) == Send()
    assert in_auckland == Wait(NOW + timedelta(hours=8), Reason.WINDOW)


def test_a_blackout_is_waited_out() -> None:
    dark = Blackout(NOW - DAY, NOW + DAY)

    assert decide(ADA, WANTED, replace(RULES, blackouts=(dark,)), NOW) == Wait(NOW + DAY, Reason.WINDOW)


instants = st.datetimes(datetime(2026, 6, 1), datetime(2027, 6, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
maybe = st.none() | instants
zones = st.sampled_from([zone_named(name) for name in ("UTC", "Europe/Berlin", "Pacific/Auckland", "America/New_York")])
past = st.integers(0, 200 * 24).map(lambda hours: NOW - timedelta(hours=hours))
asks = st.builds(Ask, at=past, journey=st.sampled_from([None, "order", "other"]))


@st.composite
def people(draw: st.DrawFn) -> Person:
    """The latest ask of all may be one that is known of no invitation."""
    known = draw(st.lists(asks, max_size=4))
    latest = max((*draw(st.lists(past, max_size=1)), *(ask.at for ask in known)), default=None)
    suppressed = draw(st.sampled_from([{}, {}, {}, {"unsubscribed_at": NOW}, {"has_address": False}]))
    return Person(draw(zones), asked_at=latest, asks=tuple(known), **suppressed)


wants = st.builds(
    Wanted, is_reminder=st.booleans(), latest_at=maybe, answered_at=maybe, planned_at=maybe, reserved_for_at=maybe
)
rule_sets = st.builds(
    Rules,
    one_answer_each=st.booleans(),
    quarantine=st.integers(0, 100).map(lambda days: timedelta(days=days)),
    journey=st.none() | st.just(ORDER),
    window=st.sampled_from([SendingWindow(), OFFICE_HOURS]),
    blackouts=st.lists(instants, max_size=2).map(lambda starts: tuple(Blackout(at, at + 3 * DAY) for at in starts)),
)


@given(people(), wants, rule_sets)
def test_what_is_sent_breaks_no_rule(person: Person, wanted: Wanted, rules: Rules) -> None:
    if not isinstance(decide(person, wanted, rules, NOW), Send):
        return
    assert person.has_address
    assert person.unsubscribed_at is None
    assert wanted.latest_at is None or wanted.latest_at > NOW
    assert is_open(NOW, zone=person.zone, window=rules.window, blackouts=rules.blackouts)
    if not wanted.is_reminder:
        assert all(may_follow(at, person, rules) for at in all_asks(person))


def all_asks(person: Person) -> list[datetime]:
    return [*(ask.at for ask in person.asks), *([person.asked_at] if person.asked_at else [])]


def may_follow(at: datetime, person: Person, rules: Rules) -> bool:
    """Whether an ask after that one keeps the quarantine, or the gap where both belong to the journey."""
    is_own = rules.journey is not None and any(ask == Ask(at, rules.journey.name) for ask in person.asks)
    needed = ORDER.least_gap if is_own else rules.quarantine
    return at > NOW or at + needed <= NOW


@given(people(), wants, rule_sets)
def test_whoever_waits_waits_for_a_moment_that_comes_and_is_in_time(
    person: Person, wanted: Wanted, rules: Rules
) -> None:
    decision = decide(person, wanted, rules, NOW)

    if isinstance(decision, Wait):
        assert decision.until > NOW
        assert wanted.latest_at is None or decision.until < wanted.latest_at
        assert is_open(decision.until, zone=person.zone, window=rules.window, blackouts=rules.blackouts)


@given(people(), wants, rule_sets)
def test_waiting_comes_to_an_end(person: Person, wanted: Wanted, rules: Rules) -> None:
    now, decision = NOW, decide(person, wanted, rules, NOW)
    for _ in range(20):
        if not isinstance(decision, Wait):
            return
        now = decision.until
        if wanted.reserved_for_at is not None and wanted.reserved_for_at < now:
            wanted = replace(wanted, reserved_for_at=None)  # the other campaign has asked by then, or given up
        decision = decide(person, wanted, rules, now)
    raise AssertionError("still waiting")
