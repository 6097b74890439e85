"""How an endpoint wants to be told."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from app.api.schemas import Whole
from app.domain.webhooks.endpoint_rate import HIGHEST_RATE, LOWEST_RATE
from app.domain.webhooks.payload import PayloadKind
from app.domain.webhooks.payload_template import CONTENT_TYPES, JSON, LONGEST_TEMPLATE
from app.domain.webhooks.receiver_url import LONGEST_URL
from app.domain.webhooks.webhook_endpoint import LONGEST_DELAY

Url = Annotated[
    str, StringConstraints(max_length=LONGEST_URL), Field(examples=["https://hooks.example.com/zeroten?team=cx"])
]
DelaySeconds = Annotated[
    Whole,
    Field(
        ge=0,
        le=LONGEST_DELAY.total_seconds(),
        description="If left out, 0 for a webhook and what suits a connector. Wait so long, then tell of the answer as "
        "it stands: with a delay, the comment that is typed after the score arrives with it.",
    ),
]
Settings = Annotated[
    dict[str, str | bool | int | None],
    Field(
        max_length=50,
        description="Of a connector, as docs/connectors.md lists them. What is secret is sealed and never shown again.",
        examples=[{"url": "https://hooks.slack.com/services/T0/B0/x"}],
    ),
]
RateLimit = Annotated[
    Whole,
    Field(
        ge=LOWEST_RATE,
        le=HIGHEST_RATE,
        description="At most so many attempts a second, over all workers. Null: as fast as it answers.",
    ),
]
Payload = Annotated[
    PayloadKind,
    Field(
        description="`full`: all of the event. `thin`: what things it is about, by their ids, and nothing about any "
        "person; the rest can be read here."
    ),
]

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

NO_TEMPLATE: Mapping[str, Any] = {"template": None, "template_content_type": None}


class Template(BaseModel):
    """What is sent in place of the payload, for receivers that want it otherwise: Jinja over the payload's members, as
    docs/webhook-endpoints.md says. Signed like any other body."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEMPLATE)] = Field(
        examples=['{"text": {{ data.response.comment | tojson }}}']
    )
    content_type: str = Field(
        JSON,
        description="Of what comes out, which is checked where it is JSON.",
        json_schema_extra={"enum": [*CONTENT_TYPES]},
    )

    @field_validator("content_type")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in CONTENT_TYPES:
            raise ValueError(f"should be one of {', '.join(CONTENT_TYPES)}")
        return value

    def columns(self) -> dict[str, Any]:
        return {"template": self.source, "template_content_type": self.content_type}
