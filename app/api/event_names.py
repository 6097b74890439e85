"""Names of events, as filters take them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.domain.events import SUBSCRIBABLE


def _known(value: str) -> str:
    if value not in SUBSCRIBABLE:
        raise ValueError("should be the name of an event, such as response.created or response.detractor")
    return value


EventName = Annotated[
    str,
    AfterValidator(_known),
    Field(json_schema_extra={"enum": sorted(SUBSCRIBABLE)}, examples=["response.detractor"]),
]
EventNames = Annotated[list[EventName], Field(max_length=len(SUBSCRIBABLE))]
