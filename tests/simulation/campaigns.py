"""What is going on at once in the simulated workspace: campaigns of every kind, in each other's way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# Clocks change in America on 8 March and in Europe on 29 March, in Australia and New Zealand on 5 April.
START = datetime(2026, 2, 16, 5, tzinfo=UTC)
HOME = "Europe/Berlin"
QUARANTINE_DAYS = 20  # of the workspace
PAUSED, PAUSED_FROM, PAUSED_UNTIL = "order", START + timedelta(days=12, hours=5), START + timedelta(days=14, hours=2)

WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
ORDER = {"name": "order", "least_gap_hours": 24, "most_per_person": 2}
EASTER = {"from": "2026-03-20T12:00:00+00:00", "until": "2026-03-24T06:00:00+00:00"}


@dataclass(frozen=True)
class Planned:
    name: str
    asking: Mapping[str, Any]
    after: timedelta = timedelta(0)  # from the start of the simulation


CAMPAIGNS = (
    Planned(
        "relationship",
        {
            "trigger": {"kind": "every", "count": 1, "unit": "months"},
            "wave_days": 12, "priority": 5, "expires_after_days": 20, "exclude_newer_than_days": 1,
            "window": {"days": WORKDAYS, "from": "09:00", "until": "17:30", "holidays": ["2026-03-17"]},
            "pace": {"per_hour": 60, "per_domain_per_hour": 25},
            "reminders": [{"after_days": 4}, {"after_days": 9}],
            "variants": [{"key": "a", "weight": 1}, {"key": "b", "weight": 1}],
        },
    ),
    Planned(
        "pulse",
        {
            "trigger": {"kind": "every", "count": 3, "unit": "weeks", "spread": "evenly"},
            "audience": {"field": "properties.plan", "in": ["pro", "team"]},
            "window": {"days": WORKDAYS, "from": "08:00", "until": "20:00", "best_hour": True},
            "blackouts": [{**EASTER, "audience": {"field": "properties.plan", "eq": "team"}}],
        },
    ),
    Planned(
        "launch",
        {
            "trigger": {"kind": "once"}, "priority": 50, "wave_days": 25, "quarantine_days": 10,
            "window": {"from": "10:00", "until": "22:00"}, "blackouts": [EASTER],
            "pace": {"warm_up": {"first_day": 20, "growth": 1.5}}, "reminders": [{"after_days": 3}],
        },
        after=timedelta(days=18, hours=7),
    ),
    Planned(
        "order",
        {
            "trigger": {
                "kind": "touchpoint", "name": "order_delivered", "delay_minutes": 60,
                "cancelled_by": ["order_returned"], "max_lateness_hours": 72,
            },
            "quarantine_days": 7, "journey": ORDER, "priority": 20,
            "window": {"days": [*WORKDAYS, "sat"], "from": "07:00", "until": "21:00"},
        },
    ),
    Planned(
        "habit",
        {
            "trigger": {
                "kind": "touchpoint", "name": "order_delivered", "delay_minutes": 14 * 24 * 60,
                "cancelled_by": ["order_returned"], "max_lateness_hours": 240,
            },
            "quarantine_days": 7, "journey": ORDER,
        },
    ),
    Planned(
        "exam",
        {
            "trigger": {"kind": "date_property", "property": "exam_on", "offset_days": 3, "max_lateness_days": 6},
            "quarantine_days": 12, "window": {"from": "12:00", "until": "13:00"}, "reminders": [{"after_days": 2}],
            "priority": 5,
        },
    ),
    Planned(
        "regulars",
        {
            "trigger": {"kind": "after_answer", "days": 25}, "audience": {"field": "properties.plan", "eq": "free"},
            "window": {"from": "22:00", "until": "02:00"}, "expires_after_days": 10,
        },
    ),
)  # fmt: skip
