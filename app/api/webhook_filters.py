"""Which events an endpoint asks for. What is empty or null asks for nothing in particular."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.api.event_names import EventNames
from app.api.schemas import CampaignId, Flag, Whole
from app.domain.people.properties import LARGEST_WHOLE, LONGEST_KEY, LONGEST_TEXT
from app.domain.scores.metric import Band

EventTypes = Annotated[
    EventNames,
    Field(
        description="Only these. Empty: all. A band's name, such as `response.detractor`, brings answers that arrive "
        "in the band and those moved into or out of it, as `response.created` or `response.band_changed`."
    ),
]
CampaignIds = Annotated[
    list[CampaignId], Field(max_length=100, description="Only events of these campaigns; empty: of all, and of none.")
]
Bands = Annotated[
    list[Band],
    Field(max_length=len(Band), description="Only events about answers in these bands, or that just left them."),
]
RawScore = Annotated[Whole, Field(ge=0, le=10)]

_Key = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY)]
_Value = (
    Flag
    | Annotated[int, Field(strict=True, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
    | Annotated[str, StringConstraints(strict=True, max_length=LONGEST_TEXT)]
)
RecipientProperties = Annotated[
    dict[_Key, Annotated[list[_Value], Field(min_length=1, max_length=100)]],
    Field(
        max_length=10,
        description="Only events about a recipient who has, for each of these keys, one of its values. Empty: about "
        "anybody, and nobody.",
        examples=[{"plan": ["pro", "team"]}],
    ),
]
HasComment = Annotated[
    Flag | None,
    Field(
        description="Only events about answers with a comment, or only about those without. A comment that is typed "
        "after the score passes when it comes, with `response.updated`."
    ),
]
