from datetime import datetime

import pytest

from app.domain.asking.asking import Asking, check_can_ask
from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.audience.audience import FilterInvalid
from app.domain.scores.period import zone_named
from tests.askings import FULL, an_asking

ON_DATE = {"kind": "date_property", "property": "renews"}
TOUCHED = {"kind": "touchpoint", "name": "bought"}


def test_what_is_written_is_read_again() -> None:
    asking = Asking.from_json(FULL)

    assert Asking.from_json(asking.to_json()) == asking
    assert asking.to_json() == FULL


def test_everything_but_the_trigger_may_be_left_out() -> None:
    asking = Asking.from_json({"trigger": {"kind": "once"}})

    assert asking.to_json()["reminders"] == []
    assert asking.to_json()["window"]["until"] == "00:00"
    assert Asking.from_json(asking.to_json()) == asking


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"trigger": {"kind": "every", "count": 0, "unit": "days"}}, "/asking/trigger/count"),
        ({"trigger": {"kind": "touchpoint", "name": "a", "cancelled_by": ["a"]}}, "/asking/trigger/cancelled_by/0"),
        ({"trigger": {"kind": "touchpoint", "name": "bought", "delay_minutes": -1}}, "/asking/trigger/delay_minutes"),
        ({"trigger": {"kind": "date_property", "property": ""}}, "/asking/trigger/property"),
        ({"sample": {}}, "/asking/sample"),
        ({"trigger": {**ON_DATE, "max_lateness_days": 0}}, "/asking/trigger/max_lateness_days"),
        ({"trigger": {**ON_DATE, "at": "9 o'clock"}}, "/asking/trigger/at"),
        ({"trigger": {**TOUCHED, "max_lateness_hours": 0}}, "/asking/trigger/max_lateness_hours"),
        ({"trigger": ON_DATE, "sample": {"margin": 3}}, "/asking/sample"),
        ({"trigger": TOUCHED, "sample": {"margin": 3}}, "/asking/sample"),
        ({"window": {"holidays": ["2026-12-25", "2026-02-30"]}}, "/asking/window/holidays/1"),
        ({"sample": {"percent": 5, "margin": 3}}, "/asking/sample"),
        ({"sample": {"margin": 3, "response_rate": 0}}, "/asking/sample/response_rate"),
        ({"sample": {"percent": 101}}, "/asking/sample/percent"),
        ({"journey": {"name": "order", "most_per_person": 0}}, "/asking/journey/most_per_person"),
        ({"stop": {"answers": 400, "margin": 5}}, "/asking/stop"),
        ({"variants": [{"key": "a"}, {"key": "a"}]}, "/asking/variants/1/key"),
        ({"variants": [{"key": "a", "weight": 0}]}, "/asking/variants/0/weight"),
        ({"email": {"subject": {"en": "Hello\r\nBcc: everybody@example.com"}}}, "/asking/email/subject/en"),
        ({"email": {"subject": {"en": "Hi {name}"}}}, "/asking/email/subject/en"),
        ({"email": {"intro": {"de": "Hallo {nme|du}"}}}, "/asking/email/intro/de"),
        ({"variants": [{"key": "a", "question": {"en": "Hi {name}?"}}]}, "/asking/variants/0/question/en"),
        ({"email": {"from_email": "nobody"}}, "/asking/email/from_email"),
        ({"priority": 101}, "/asking/priority"),
        ({"reminders": [{"after_days": 40}]}, "/asking/reminders/0/after_days"),
        ({"spread_days": 15}, "/asking/spread_days"),
        ({"wave_days": 2, "spread_days": 3}, "/asking/spread_days"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_named_with_its_place(changes: dict[str, object], pointer: str) -> None:
    with pytest.raises(AskingInvalid) as caught:
        Asking.from_json(an_asking(**changes))

    assert caught.value.pointer == pointer


def test_a_filter_that_cannot_be_understood_is_named_with_its_place() -> None:
    with pytest.raises(FilterInvalid) as caught:
        Asking.from_json(an_asking(audience={"all": [{"field": "nonsense", "eq": 1}]}))

    assert (caught.value.pointer or "").startswith("/asking/audience/all/0")


def test_a_window_has_to_open_some_day(now: datetime) -> None:
    closed = an_asking(
        window={"days": ["mon"], "from": "09:00", "until": "10:00"},
        blackouts=[{"from": "2020-01-01T00:00:00Z", "until": "2190-01-01T00:00:00Z"}],
    )

    with pytest.raises(AskingInvalid) as caught:
        check_can_ask(Asking.from_json(closed), zone=zone_named("Europe/Berlin"), now=now)

    assert caught.value.pointer == "/asking/window"
