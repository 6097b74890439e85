"""The types all resources share. Requests refuse unknown fields and never turn one type into another."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from app.domain import ids

Item = TypeVar("Item")
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200


class Request(BaseModel):
    """What callers send."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def absent() -> Any:
    """The default of a field that may be left out but, unlike one that may be null, not cleared."""
    return Field(default_factory=lambda: None)


class Reply(BaseModel):
    """What they get. Fields may be added within v1; none changes or goes."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Listing(Reply, Generic[Item]):
    data: list[Item]
    next_cursor: str | None = Field(None, description="Send as `cursor` to go on; null at the end.")


def typed_id(kind: str) -> Any:
    """A UUID inside, `resp_…` outside."""

    def parse(value: object) -> UUID:
        if isinstance(value, UUID):
            return value
        uuid = ids.parsed(kind, value) if isinstance(value, str) else None
        if uuid is None:
            raise ValueError(f"should be an id like {ids.PREFIXES[kind]}_ and 32 hexadecimal digits")
        return uuid

    schema = {"type": "string", "pattern": f"^{ids.PREFIXES[kind]}_[0-9a-f]{{32}}$"}
    return Annotated[
        UUID,
        BeforeValidator(parse),
        PlainSerializer(lambda uuid: ids.shown(kind, uuid), return_type=str),
        WithJsonSchema({**schema, "examples": [f"{ids.PREFIXES[kind]}_0198c1f2a7b3708c9d4e5f60718293a4"]}),
    ]


AccountId = typed_id("account")
ApiKeyId = typed_id("api_key")
AuthorizationId = typed_id("authorization")
CampaignId = typed_id("campaign")
DeliveryId = typed_id("delivery")
EndpointId = typed_id("endpoint")
EventId = typed_id("event")
ImportId = typed_id("import")
InvitationId = typed_id("invitation")
MailId = typed_id("mail")
MailSourceId = typed_id("mail_source")
RecipientId = typed_id("recipient")
ReplayId = typed_id("replay")
ResponseId = typed_id("response")
SecretId = typed_id("secret")
TouchpointId = typed_id("touchpoint")
WorkspaceId = typed_id("workspace")


def _text_only(value: object) -> object:
    """Pydantic would read a number as Unix time; we read RFC 3339 text only."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("should be an RFC 3339 instant, such as 2026-11-22T10:00:00Z")
    if isinstance(value, str | datetime):
        return value
    raise ValueError("should be an RFC 3339 instant, such as 2026-11-22T10:00:00Z")


def _in_our_time(value: datetime) -> datetime:
    """In UTC, and far from the ends of the calendar, where adding an hour fails."""
    if not EARLIEST_YEAR <= value.year < LATEST_YEAR:
        raise ValueError(f"should lie between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    return value.astimezone(UTC)


def storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("should not contain NUL")
    return value


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_text_only),
    AfterValidator(_in_our_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(storable)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(storable)]
Prose = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(storable)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]

_Key = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Scalars = (
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    # Bounded like whole numbers: one that is too large would be read as a float, and become another number.
    | Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-(2**53), lt=2**53)]
    | Annotated[str, StringConstraints(strict=True, max_length=1_000)]
    | None
)


class _InOneWord:
    """One refusal for all that a value may be, instead of one for each."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        what = "should be a text of at most 1,000 characters, a number between -2^53 and 2^53, true, false or null"
        return core_schema.custom_error_schema(handler(source), custom_error_type="scalar", custom_error_message=what)


_Scalar = Annotated[_Scalars, _InOneWord()]
Properties = Annotated[
    dict[_Key, _Scalar],
    Field(max_length=64, description="At most 64 JSON scalars; texts of at most 1,000 characters."),
]
