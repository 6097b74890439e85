"""What a recipient and an account look like on the way in and on the way out."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.api.problem_models import RowProblem
from app.api.schemas import AccountId, Instant, Name, Properties, RecipientId, Reply, Request, storable
from app.domain.people.account import AccountInput, AccountInvalid, AccountNotFound, normalised_account
from app.domain.people.identity import IdentityConflict
from app.domain.people.properties import PropertiesInvalid
from app.domain.people.recipient import (
    LONGEST_EMAIL,
    RecipientInput,
    RecipientInvalid,
    RecipientUnidentified,
    normalised,
)
from app.domain.people.recipient_body import recipient_body
from app.domain.people.suppression import RecipientErased

MERGED = "Merged key by key; null removes a key."


def _money(value: object) -> object:
    """JSON numbers by their digits: 0.1 is a tenth, not the nearest binary fraction."""
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        return str(value)
    raise ValueError("should be an amount such as 1200.50")


def _calendar_day(value: object) -> object:
    if isinstance(value, str | date):
        return value
    raise ValueError("should be a date such as 2026-11-22")


Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    Field(max_digits=18, decimal_places=2, allow_inf_nan=False),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number", "exclusiveMinimum": -1e16, "exclusiveMaximum": 1e16, "examples": [1200.5]}),
]
Day = Annotated[
    date,
    BeforeValidator(_calendar_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-03-31"]}),
]
Email = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_EMAIL, strip_whitespace=True),
    AfterValidator(storable),
    Field(examples=["ada@example.com"]),
]
Phone = Annotated[Name, StringConstraints(max_length=40), Field(examples=["+4930123456"])]

# How people sent to us may be refused, whichever route they come by.
REFUSED_PEOPLE = (
    AccountInvalid,
    AccountNotFound,
    IdentityConflict,
    PropertiesInvalid,
    RecipientInvalid,
    RecipientUnidentified,
    RecipientErased,
)


class AccountFields(Request):
    """What is left out stays; null clears."""

    name: Name | None = None
    owner: Name | None = Field(None, description="Who looks after it on your side.")
    revenue: Money | None = Field(None, description="A year, in your own currency.")
    tier: Name | None = None
    renews_on: Day | None = None
    properties: Properties | None = Field(None, description=MERGED)

    def said_of(self, workspace_id: UUID, external_id: str) -> AccountInput:
        """Raises AccountInvalid, PropertiesInvalid."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"external_id"}}
        return normalised_account(workspace_id, external_id, given)


class AccountUpsert(AccountFields):
    external_id: Name

    def said(self, workspace_id: UUID) -> AccountInput:
        return self.said_of(workspace_id, self.external_id)


class AccountReply(Reply):
    id: AccountId
    external_id: str
    name: str | None
    owner: str | None
    revenue: Money | None
    tier: str | None
    renews_on: date | None
    properties: dict[str, Any]
    created_at: Instant
    updated_at: Instant
    revision: int


class RecipientFields(Request):
    """What is left out stays; null clears."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["account_id", "account"]}})

    external_id: Name | None = Field(None, description="Your own id of this person.")
    email: Email | None = Field(None, description="Stored in lower case, the domain in ASCII.")
    phone: Phone | None = Field(None, description="With a plus and the country code.")
    name: Name | None = None
    locale: Annotated[Name | None, Field(examples=["pt-BR"])] = None
    time_zone: Annotated[Name | None, Field(description="From the IANA list.", examples=["Europe/Berlin"])] = None
    account_id: AccountId | None = Field(None, description="The account they belong to, by its id here,")
    account: AccountUpsert | None = Field(None, description="or by its id at yours; made if need be.")
    properties: Properties | None = Field(None, description=MERGED)

    @model_validator(mode="after")
    def _one_way_to_name_an_account(self) -> "RecipientFields":
        if {"account_id", "account"} <= self.model_fields_set:
            raise ValueError("give account_id or account, not both")
        return self

    def said(self, workspace_id: UUID, *, recipient_id: UUID | None = None) -> RecipientInput:
        """Raises RecipientInvalid, AccountInvalid, PropertiesInvalid."""
        given = {name: getattr(self, name) for name in self.model_fields_set - {"account"}}
        account = self.account.said(workspace_id) if self.account is not None else None
        if account is None and "account" in self.model_fields_set:
            given["account_id"] = None
        return RecipientInput(workspace_id, normalised(given), recipient_id, account)


class RecipientUpsert(RecipientFields):
    """Found by external_id, email or phone, of which one is needed, or else created."""


class RecipientChange(RecipientFields):
    """As in an upsert; a changed identifier is given to this very person."""


class AccountSummary(Reply):
    id: AccountId
    external_id: str
    name: str | None


class RecipientReply(Reply):
    id: RecipientId
    external_id: str | None
    email: str | None
    phone: str | None
    name: str | None
    locale: str | None
    time_zone: str | None
    account: AccountSummary | None
    properties: dict[str, Any]
    unsubscribed_at: Instant | None
    bounced_at: Instant | None = Field(description="The e-mail address does not exist; until it is another one.")
    complained_at: Instant | None = Field(description="They called a mail spam, and get no more.")
    last_asked_at: Instant | None = Field(description="Over all campaigns and channels.")
    last_answered_at: Instant | None
    last_score: int | None = Field(description="Of the last answer that counts, on the scale of its campaign.")
    created_at: Instant
    updated_at: Instant
    revision: int

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> "RecipientReply":
        return cls(**recipient_body(row))


class RecipientBulk(Request):
    recipients: list[Any] = Field(
        min_length=1,
        max_length=500,
        description="Each as in `POST /v1/recipients`. One that is rejected does not hold up the others.",
        json_schema_extra={"items": {"$ref": "#/components/schemas/RecipientUpsert"}},
    )


class RecipientRowResult(Reply):
    index: int = Field(description="Its place in the request, from 0.")
    status: int = Field(description="What `POST /v1/recipients` would have answered.", examples=[201])
    id: RecipientId | None = None
    outcome: Literal["created", "updated", "unchanged"] | None = None
    problem: RowProblem | None = Field(None, description="Where it was rejected.")


class RecipientBulkReply(Reply):
    created: int
    updated: int
    unchanged: int
    rejected: int
    results: list[RecipientRowResult]
