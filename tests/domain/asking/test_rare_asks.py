"""A rhythm that a quarantine holds back is warned of."""

from typing import Any

import pytest

from app.domain.asking.asking import Asking
from app.domain.asking.rare_asks import warnings_about_rhythm

WEEKLY = {"kind": "every", "count": 1, "unit": "weeks"}


def warned(trigger: dict[str, Any], *, of_workspace: int = 90, **fields: Any) -> list[str]:
    asking = Asking.from_json({"trigger": trigger, **fields})
    return [one.text for one in warnings_about_rhythm(asking, quarantine_days=of_workspace)]


@pytest.mark.parametrize(
    "trigger",
    [
        WEEKLY,
        {**WEEKLY, "spread": "evenly"},
        {"kind": "every", "count": 2, "unit": "months"},
        {"kind": "after_answer", "days": 30},
    ],
)
def test_a_rhythm_shorter_than_the_quarantine_is_warned_of(trigger: dict[str, Any]) -> None:
    (text,) = warned(trigger)
    assert "90 days" in text
    assert warned(trigger, quarantine_days=7) == []
    assert warned(trigger, of_workspace=7) == []


@pytest.mark.parametrize(
    ("trigger", "fields"),
    [
        ({"kind": "every", "count": 3, "unit": "months"}, {}),
        ({"kind": "once"}, {}),
        ({"kind": "touchpoint", "name": "delivered"}, {}),
        (WEEKLY, {"journey": {"name": "order"}}),
    ],
)
def test_others_are_not(trigger: dict[str, Any], fields: dict[str, Any]) -> None:
    assert warned(trigger, **fields) == []
