"""The workspace a key belongs to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Request as HttpRequest
from pydantic import Field, StringConstraints

from app.api.dependencies import Now, ReadTx, Tx, WorkspaceReader, WorkspaceWriter, services_of
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Flag, Instant, Name, Reply, Request, WorkspaceId, absent
from app.domain.asking.asking import LONGEST_QUARANTINE
from app.domain.mail.sender import LONGEST_NAME as LONGEST_FROM_NAME
from app.domain.mail.sender import LONGEST_SELECTOR, MOST_DOMAINS, MOST_SELECTORS, Sender, SenderInvalid
from app.domain.people.recipient import LONGEST_EMAIL
from app.domain.scores.period import UnknownTimeZone
from app.domain.survey.brand import ACCENT, LONGEST_ADDRESS, LONGEST_NAME, Brand, BrandInvalid
from app.domain.survey.links import LONGEST_LINK
from app.operations.workspaces import change_workspace
from app.queries.workspaces import get_workspace as read_workspace

routes = router("workspace")


class ShownLogo(Reply):
    url: str = Field(description="On our own address, another one for each picture.")
    width: int = Field(description="In pixels, as it was uploaded.")
    height: int


class ShownBrand(Reply):
    """What survey pages and mails look like; what nobody has set is filled in."""

    name: str = Field(description="The workspace's, unless set.")
    accent: str = Field(examples=[ACCENT])
    ink: str = Field(description="What is written on the accent: white where it can be read, else black.")
    logo: ShownLogo | None = Field(description="Uploaded with `PUT /v1/workspace/logo`.")
    postal_address: str | None
    privacy_url: str | None


class ShownSender(Reply):
    """Whom mails come from."""

    from_name: str | None
    from_email: str | None = Field(description="Without one, mails come from surveys@ the host of the public address.")
    reply_to: str | None
    bounce_address: str | None = Field(
        description="Mails are sent from bounces+{message}@…, so that a bounce names its mail: without one, from_email."
    )
    notify_email: str | None = Field(description="Hears of endpoints and campaigns in trouble.")
    domains: list[str] = Field(
        description="Mails may come from these, beside from_email's: of campaigns, and of owners of accounts."
    )
    dkim_selectors: list[str] = Field(
        description="Under which the keys of your mail server are in the DNS, so that they can be checked."
    )
    send_unaligned: bool = Field(description="Large waves go out even from a domain whose check has failed.")


class Workspace(Reply):
    id: WorkspaceId
    name: str
    mode: Literal["live", "test"]
    time_zone: str = Field(examples=["Europe/Berlin"])
    sibling_id: WorkspaceId | None = Field(description="The test workspace of a live one, and the other way round.")
    brand: ShownBrand
    sender: ShownSender
    quarantine_days: int = Field(description="Nobody is asked twice within, unless a campaign has its own.")
    created_at: Instant
    revision: int

    @classmethod
    def of(cls, row: Mapping[str, Any], *, address: str) -> "Workspace":
        brand = Brand.of(row["brand"], workspace_name=row["name"])
        logo = brand.logo and ShownLogo(url=address + brand.logo.path, width=brand.logo.width, height=brand.logo.height)
        shown = {name: getattr(brand, name) for name in ShownBrand.model_fields} | {"logo": logo}
        return cls.model_validate({**row, "brand": shown, "sender": asdict(Sender.of(row["sender"]))})


Link = Annotated[str, StringConstraints(max_length=LONGEST_LINK), Field(examples=["https://shop.example/privacy"])]


class BrandEdit(Request):
    """Fields left out stay as they are; null takes one back."""

    name: Annotated[str, StringConstraints(max_length=LONGEST_NAME)] | None = None
    accent: Annotated[str, StringConstraints(pattern="^#[0-9a-f]{6}$"), Field(examples=[ACCENT])] | None = None
    postal_address: Annotated[str, StringConstraints(max_length=LONGEST_ADDRESS)] | None = None
    privacy_url: Link | None = Field(None, description="Linked from survey pages and mails. Begins with https://")


Address = Annotated[str, StringConstraints(max_length=LONGEST_EMAIL), Field(examples=["surveys@shop.example"])]
Domain = Annotated[str, StringConstraints(max_length=253)]
Selector = Annotated[str, StringConstraints(max_length=LONGEST_SELECTOR)]


class SenderEdit(Request):
    """Fields left out stay as they are; null takes one back."""

    from_name: Annotated[str, StringConstraints(max_length=LONGEST_FROM_NAME)] | None = None
    from_email: Address | None = None
    reply_to: Address | None = None
    bounce_address: Address | None = Field(None, description="At most 31 characters before the @.")
    notify_email: Address | None = None
    domains: Annotated[list[Domain], Field(max_length=MOST_DOMAINS, examples=[["shop.example"]])] | None = None
    dkim_selectors: Annotated[list[Selector], Field(max_length=MOST_SELECTORS, examples=[["s1"]])] | None = None
    send_unaligned: Flag | None = None


class WorkspaceEdit(Request):
    name: Name = absent()
    time_zone: Annotated[Name, Field(description="From the IANA list. Decides the day of later answers only.")] = (
        absent()
    )
    brand: BrandEdit = absent()
    sender: SenderEdit = absent()
    quarantine_days: Annotated[int, Field(ge=0, le=LONGEST_QUARANTINE)] = absent()


@routes.get("/v1/workspace", summary="Read your workspace")
async def get_workspace(caller: WorkspaceReader, tx: ReadTx, request: HttpRequest) -> Workspace:
    row = await read_workspace(tx, caller.workspace_id)
    return Workspace.of(row, address=services_of(request).settings.public_address)


@routes.patch(
    "/v1/workspace",
    summary="Change its name, time zone, brand or sender",
    responses=refuses(UnknownTimeZone, BrandInvalid, SenderInvalid),
)
async def update_workspace(
    body: WorkspaceEdit, caller: WorkspaceWriter, tx: Tx, now: Now, request: HttpRequest
) -> Workspace:
    await change_workspace(tx, caller.workspace_id, body.model_dump(exclude_unset=True), now=now)
    row = await read_workspace(tx, caller.workspace_id)
    return Workspace.of(row, address=services_of(request).settings.public_address)
