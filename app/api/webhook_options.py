"""How an endpoint wants to be told."""

from typing import Annotated

from pydantic import Field, StringConstraints

HEADERS = (
    "Sent along with every attempt, such as what lets us in. Names in any case. Values are stored encrypted and shown "
    "masked."
)
_Name = Annotated[str, StringConstraints(max_length=64)]
_Value = Annotated[str, StringConstraints(max_length=1_024)]
Headers = Annotated[
    dict[_Name, _Value], Field(max_length=20, description=HEADERS, examples=[{"authorization": "Bearer 9f2c…"}])
]
HeaderChanges = Annotated[
    dict[_Name, _Value | None],
    Field(
        max_length=40,
        description=f"{HEADERS} Those named are set, or removed by null; the others stay. Null in place of all removes "
        "them all.",
        examples=[{"authorization": "Bearer 9f2c…", "x-team": None}],
    ),
]
DelightedKey = Annotated[
    str,
    StringConstraints(min_length=8, max_length=200, pattern="^[!-~]+$"),
    Field(
        description="For receivers that come from Delighted: their API key there. Attempts carry "
        "`X-Delighted-Webhook-Signature` too, signed with it. Stored encrypted and shown masked.",
        examples=["your-delighted-api-key"],
    ),
]
