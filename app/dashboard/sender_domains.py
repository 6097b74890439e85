"""The domains that mails come from: what the DNS says about each, and what to put there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import Now, ReadTx, Tx
from app.dashboard.endpoint_summary import TONES
from app.dashboard.places import SENDER_DOMAINS
from app.dashboard.shell import done, page
from app.dashboard.states import DOMAINS, Wording
from app.dashboard.visitors import WorkspaceOperator, WorkspaceViewer
from app.domain.mail.domain_check.finding import DomainState, Finding, Part, state_of
from app.operations.sender_domains import check_again
from app.queries.sender_domains import list_sender_domains

TITLES: Mapping[Part, str] = {
    Part.SPF: "SPF", Part.DKIM: "DKIM", Part.DMARC: "DMARC", Part.BOUNCES: "Bounces"
}  # fmt: skip
RECORDS: Mapping[Part, str] = {Part.SPF: "spf_record", Part.DMARC: "dmarc_record"}  # those that a check keeps


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One that is only advised about has passed."""

    part: Part
    title: str
    wording: Wording
    findings: Sequence[Finding]
    record: str | None  # that stands in the DNS


@dataclass(frozen=True, slots=True)
class DomainSummary:
    domain: str
    wording: Wording
    parts: Sequence[PartSummary]  # none before the first check
    checked_at: datetime | None
    is_checking: bool


async def show_sender_domains(request: Request, visitor: WorkspaceViewer, tx: ReadTx) -> Response:
    rows = await list_sender_domains(tx, visitor.caller.workspace_id)
    return page(
        request, "sender_domains.html", summaries=_worst_first(map(_summary, rows)),
        may_check=visitor.caller.may("workspace:write"), may_read_mail=visitor.caller.may("mail:read"),
    )  # fmt: skip


async def check(request: Request, visitor: WorkspaceOperator, tx: Tx, now: Now) -> Response:
    await check_again(tx, visitor.caller.workspace_id, now=now)
    return done(request, SENDER_DOMAINS, "checking")


async def count_failing(tx: ReadTx, workspace_id: UUID) -> int:
    return sum(row["state"] == DomainState.FAILED for row in await list_sender_domains(tx, workspace_id))


def _worst_first(summaries: Iterable[DomainSummary]) -> list[DomainSummary]:
    return sorted(summaries, key=lambda one: (TONES.index(one.wording.tone), one.domain))


def _summary(row: Mapping[str, Any]) -> DomainSummary:
    is_checked = row["checked_at"] is not None
    return DomainSummary(
        domain=row["domain"],
        wording=DOMAINS[DomainState(row["state"])],
        parts=[_part(row, part) for part in TITLES] if is_checked else [],
        checked_at=row["checked_at"],
        is_checking=row["asked_at"] is not None,
    )


def _part(row: Mapping[str, Any], part: Part) -> PartSummary:
    findings = [found for found in map(Finding.of, row["findings"]) if found.part is part]
    record = row["found"].get(RECORDS[part]) if part in RECORDS else None
    return PartSummary(part, TITLES[part], DOMAINS[state_of(findings)], findings, record)
