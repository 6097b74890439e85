"""Whom to ask: what a filter looks like in the contract, and what is said of the people it fits."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from app.api.schemas import CampaignId, Flag, RecipientId, Reply, Request, Whole
from app.domain.audience.audience_fields import BY_SIZE, IN_TEXT, IN_TIME, Operator
from app.domain.audience.audience_json import FARTHEST_DAYS, MOST_CONDITIONS, MOST_VALUES
from app.domain.audience.audience_selection import (
    FARTHEST_RENEWAL,
    LONGEST_TENURE,
    MOST_PER_ACCOUNT,
    HeldBack,
    Selection,
)
from app.domain.people.properties import LONGEST_TEXT

# Of a preview as of a campaign's asking, or the one could not tell what the other will do.
Tenure = Annotated[Whole, Field(ge=0, le=LONGEST_TENURE, description="Whoever is known for fewer days is left alone.")]
MostPerAccount = Annotated[Whole, Field(ge=1, le=MOST_PER_ACCOUNT)]
Renewal = Annotated[
    Whole, Field(ge=0, le=FARTHEST_RENEWAL, description="Accounts that renew within so many days are left alone.")
]
REFERENCE = {"$ref": "#/components/schemas/AudienceFilter"}
EXAMPLE: Any = {
    "all": [
        {"field": "properties.plan", "in": ["pro", "team"]},
        {"field": "account.renews_on", "since": {"days": 0}, "before": {"days": 60}},
        {"not": {"field": "last_score", "lte": 6}},
    ]
}

# Read by `domain/audience/audience_json.py`, which says more of what is wrong than a union of schemas could.
AudienceFilter = Annotated[dict[str, Any], WithJsonSchema(REFERENCE)]

_VALUE = {
    "anyOf": [{"type": "string", "maxLength": LONGEST_TEXT}, {"type": "number"}, {"type": "boolean"}],
}
_MOMENT = {
    "anyOf": [
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {
            "type": "object",
            "properties": {"days": {"type": "integer", "minimum": -FARTHEST_DAYS, "maximum": FARTHEST_DAYS}},
            "required": ["days"],
            "additionalProperties": False,
            "description": "From now; negative: ago.",
        },
    ]
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_OPERANDS: Mapping[Operator, Any] = {
    Operator.EQ: _VALUE,
    Operator.NE: _VALUE,
    Operator.IN: {"type": "array", "items": _VALUE, "minItems": 1, "maxItems": MOST_VALUES},
    Operator.EXISTS: {"type": "boolean"},
    **{operator: {"type": "number"} for operator in sorted(BY_SIZE)},
    **dict.fromkeys(sorted(IN_TIME), _MOMENT),
    **dict.fromkeys(sorted(IN_TEXT), _TEXT),
}


def _joined(name: str, member: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: member}, "required": [name], "additionalProperties": False}


_MEMBERS = {"type": "array", "items": REFERENCE, "minItems": 1, "maxItems": MOST_CONDITIONS}
_CONDITION = {
    "type": "object",
    "properties": {
        "field": {"type": "string"},
        "campaign_id": {"type": "string", "pattern": "^camp_[0-9a-f]{32}$", "description": "Of history: in this one."},
        **{operator.value: operand for operator, operand in _OPERANDS.items()},
    },
    "required": ["field"],
    "minProperties": 2,
    "additionalProperties": False,
    "description": "All of its comparisons hold.",
}
FILTER_SCHEMAS: Mapping[str, Any] = {
    "AudienceFilter": {
        "description": "Whom it fits: `all`, `any` or `not` of other filters, or a condition on one `field`. Which "
        "fields there are, and what they can be compared with, stands in docs/audiences.md.",
        "anyOf": [_joined("all", _MEMBERS), _joined("any", _MEMBERS), _joined("not", REFERENCE), _CONDITION],
        "examples": [EXAMPLE],
    }
}


class RecipientQuery(Request):
    model_config = ConfigDict(json_schema_extra={"examples": [{"filter": EXAMPLE}]})

    filter: Annotated[AudienceFilter, WithJsonSchema({"allOf": [REFERENCE]})]


class AudiencePreview(Request):
    filter: AudienceFilter | None = Field(description="null: everybody.")
    campaign_id: CampaignId | None = Field(
        None, description="Who of its list, if it has one, and who has not answered it where it takes one answer each."
    )
    exclude_newer_than_days: Tenure | None = None
    most_per_account: MostPerAccount | None = None
    hold_renewal_within_days: Renewal | None = None
    hold_open_follow_up: Flag = False


class PreviewedAudience(Reply):
    matched: int = Field(description="How many the filter fits.", examples=[1200])
    askable: int = Field(description="How many of them nothing holds back.", examples=[1150])
    excluded: dict[HeldBack, int] = Field(
        description="The others, each under the first reason that applies.", examples=[{"unsubscribed": 50}]
    )
    sample: list[RecipientId] = Field(description="Some of those who can be asked, picked by a stable hash.")

    @classmethod
    def of(cls, found: Selection) -> "PreviewedAudience":
        excluded = {reason: found.excluded.get(reason, 0) for reason in HeldBack}
        return cls(matched=found.matched, askable=found.askable, excluded=excluded, sample=list(found.recipient_ids))
