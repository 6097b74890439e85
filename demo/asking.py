"""A campaign that asks by itself: first what it would do, then what it did."""

from collections.abc import Callable, Mapping
from typing import Any

from demo.api import Api
from demo.service import ServiceFailed

ASKING = {
    "trigger": {"kind": "every", "count": 3, "unit": "months"},
    "audience": {"field": "properties.plan", "in": ["pro", "team"]},
    "sample": {"percent": 2},
    "reminders": [{"after_days": 4}],
    "email": {"from_name": "Tidewater Bikes", "subject": {"en": "How are we doing, {name|dear rider}?"}},
}


def ask_by_mail(api: Api, survey: Mapping[str, Any], until: Callable[[Callable[[], bool]], None]) -> list[str]:
    """What there is to tell."""
    body = {"name": "Every quarter", "kind": "relationship", "survey": survey, "asking": ASKING}
    campaign = api.post("/v1/campaigns", body)
    plan = api.post(f"/v1/campaigns/{campaign['id']}/plan", {})["after"]
    api.post(f"/v1/campaigns/{campaign['id']}/launch")
    until(lambda: len(_sent(api, campaign)) >= plan["due"])
    sent = _sent(api, campaign)
    if len(sent) != plan["due"] or not sent:
        raise ServiceFailed(f"{plan['due']} mails were due; {len(sent)} are sent")
    person = api.get(f"/v1/recipients/{sent[0]['recipient_id']}/eligibility", campaign_id=campaign["id"])
    return [
        f"“{campaign['name']}” would ask {plan['due']} of the {plan['matched']:,} people its audience fits, "
        f"and leaves {plan['left_out']:,} for the next times",
        f"{len(sent)} were asked by mail, captured at /dashboard/mail since no SMTP server is set",
        f"Ask one of them again: {person['decision']}, because of {person['reason']}, until {person['until'][:10]}",
    ]


def _sent(api: Api, campaign: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = api.get(f"/v1/campaigns/{campaign['id']}/invitations", state="sent", limit=500)
    return list(found["data"])
