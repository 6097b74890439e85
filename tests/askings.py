"""Documents that say whom a campaign asks."""

from typing import Any

FULL: dict[str, Any] = {
    "trigger": {"kind": "every", "count": 3, "unit": "months", "spread": "evenly"},
    "audience": {"field": "properties.plan", "in": ["pro", "team"]},
    "exclude_newer_than_days": 30,
    "sample": {"margin": 5, "confidence": 95, "response_rate": 20},
    "most_per_account": 2,
    "hold_renewal_within_days": 30,
    "hold_open_follow_up": True,
    "quarantine_days": 60,
    "priority": 10,
    "journey": {"name": "order", "least_gap_hours": 24, "most_per_person": 2},
    "window": {
        "days": ["mon", "tue"],
        "from": "09:00",
        "until": "18:00",
        "holidays": ["2026-12-25"],
        "best_hour": True,
    },
    "blackouts": [
        {"from": "2026-12-24T00:00:00+00:00", "until": "2026-12-27T00:00:00+00:00", "audience": None},
    ],
    "wave_days": 14,
    "spread_days": 0,
    "pace": {"per_hour": 500, "per_domain_per_hour": 100, "warm_up": {"first_day": 200, "growth": 2.0}},
    "reminders": [{"after_days": 4}],
    "expires_after_days": 30,
    "stop": {"answers": 400, "margin": None, "property": None},
    "variants": [{"key": "a", "weight": 1, "question": {"en": "Would you?"}, "subject": {"en": "A word"}}],
    "email": {
        "from_name": "Ada",
        "from_email": "ada@example.com",
        "reply_to": None,
        "sender": "workspace",
        "subject": {"en": "How are we doing?"},
        "intro": {"en": "Hello"},
        "confirmation": "auto",
    },
}


def an_asking(**changes: Any) -> dict[str, Any]:
    """Once, whenever, with no quarantine of its own."""
    return {"trigger": {"kind": "once"}, **changes}
