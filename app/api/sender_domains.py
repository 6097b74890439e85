"""The domains that mails come from, and whether the DNS says what mail services want to read there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import Field

from app.api.dependencies import Now, ReadTx, Tx, WorkspaceReader, WorkspaceWriter
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Instant, Listing, Reply
from app.domain.mail.domain_check.finding import DomainState, Part, Severity
from app.domain.mail.sender import SenderMissing
from app.operations.sender_domains import check_again
from app.queries.sender_domains import list_sender_domains as read_sender_domains

routes = router("sender domains")


class DomainFinding(Reply):
    part: Part
    severity: Severity = Field(
        description="`failed`: mail services refuse such mail, or put it among the spam. `unknown`: that could not be "
        "found out."
    )
    code: str = Field(examples=["dmarc_missing"])
    text: str = Field(description="What is wrong, and what to do about it.")
    name: str = Field(description="Where in the DNS.", examples=["_dmarc.shop.example"])
    publish: str | None = Field(description="The record to put there.", examples=["v=DMARC1; p=none"])


class SenderDomain(Reply):
    domain: str = Field(examples=["shop.example"])
    state: DomainState = Field(description="`passed` where nothing failed and nothing is unknown.")
    findings: list[DomainFinding]
    bounce_domain: str | None = Field(description="The domain that bounces go to, for which SPF speaks.")
    spf_record: str | None
    spf_look_ups: int | None = Field(description="That it takes to understand the record, with all it includes.")
    dmarc_record: str | None = Field(description="The domain's own, or that of the domain it belongs to.")
    dmarc_policy: str | None = Field(description="For this domain: none, quarantine or reject.")
    is_checking: bool
    checked_at: Instant | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "SenderDomain":
        found = {name: row["found"].get(name) for name in FOUND}
        return cls.model_validate({**row, **found, "is_checking": row["asked_at"] is not None})


FOUND = ("bounce_domain", "spf_record", "spf_look_ups", "dmarc_record", "dmarc_policy")


@routes.get("/v1/sender-domains", summary="Read what the DNS says about the domains you mail from")
async def list_sender_domains(caller: WorkspaceReader, tx: ReadTx) -> Listing[SenderDomain]:
    """Those of the workspace's sender, as they were when last checked: once a day, and when somebody asks."""
    return await _shown(tx, caller.workspace_id)


@routes.post(
    "/v1/sender-domains/check",
    status_code=202,
    summary="Check the domains you mail from",
    responses=refuses(SenderMissing),
)
async def check_sender_domains(caller: WorkspaceWriter, tx: Tx, now: Now) -> Listing[SenderDomain]:
    """A worker asks the DNS, within seconds; the list tells what it found. Another sender is checked by itself."""
    await check_again(tx, caller.workspace_id, now=now)
    return await _shown(tx, caller.workspace_id)


async def _shown(tx: ReadTx | Tx, workspace_id: UUID) -> Listing[SenderDomain]:
    return Listing(data=[SenderDomain.of(row) for row in await read_sender_domains(tx, workspace_id)])
