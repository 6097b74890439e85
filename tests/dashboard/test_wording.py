from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.dashboard.endpoint_summary import RESTING
from app.dashboard.states import DELIVERIES, failure_word
from app.dashboard.wording import Times, breakable, count, host, milliseconds, percent, span
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.delivery import DeliveryState
from app.domain.webhooks.webhook_endpoint import DisabledReason

NOW = datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(milliseconds=300), "now"), (timedelta(seconds=59), "59 s ago"),
        (timedelta(seconds=119), "119 s ago"), (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=1, minutes=59), "119 min ago"),
        (timedelta(hours=2), "2 h ago"), (timedelta(hours=47), "47 h ago"), (timedelta(days=2), "2 days ago"),
        (timedelta(minutes=-26), "in 26 min"), (timedelta(hours=-30), "in 30 h"),
    ],
)  # fmt: skip
def test_ages_are_said_in_one_unit(passed: timedelta, said: str) -> None:
    assert Times(NOW, UTC).ago(NOW - passed) == said


def test_instants_are_those_of_the_workspace() -> None:
    assert Times(NOW, ZoneInfo("Europe/Berlin")).full(NOW) == "22 Nov 2026, 11:15:30 CET"


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (0.0001, "< 1 %"),
        (0.25, "25 %"),
        (0.994, "99 %"),
        (0.9951, "99.5 %"),
        (0.9999, "> 99 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_all_or_nothing_only_where_it_is(share: float, said: str) -> None:
    assert percent(share) == said


def test_numbers_are_read_at_a_glance() -> None:
    assert [count(number) for number in (0, 9999, 12345, 1234567)] == [
        "0", "9999", "12\N{NARROW NO-BREAK SPACE}345", "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567",
    ]  # fmt: skip
    assert [milliseconds(duration) for duration in (4.4, 999, 15_000)] == ["4 ms", "999 ms", "15.0 s"]
    assert span(timedelta(seconds=3)) == "3 s"


def test_a_host_is_shown_without_what_may_be_secret() -> None:
    assert host("https://user:secret@hooks.example:8443/T024/key?token=1") == "hooks.example:8443"
    assert host("hooks.slack.example") == "hooks.slack.example"


def test_a_name_breaks_behind_its_dots_and_stays_text() -> None:
    assert breakable("response.created") == "response.<wbr>created"
    assert breakable("<b>.x") == "&lt;b&gt;.<wbr>x"


def test_there_are_words_for_every_state_and_reason() -> None:
    assert set(DELIVERIES) == set(DeliveryState)
    assert set(RESTING) == set(DisabledReason)
    assert all(failure_word(failure)[0].isupper() and "_" not in failure_word(failure) for failure in Failure)
