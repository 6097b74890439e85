"""What is known of the domains that a workspace's mails come from."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db.engine import ReadTx, Tx
from app.db.tables import sender_domains
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.plan import SendingWarning
from app.domain.mail.campaign_sender import from_domains, warnings_about
from app.domain.mail.domain_check.finding import DomainState
from app.domain.mail.sender import Sender
from app.queries.workspaces import get_workspace

ROW = sender_domains.c
NOTHING_KNOWN: Mapping[str, Any] = {
    "state": DomainState.UNCHECKED.value, "findings": [], "found": {}, "checked_at": None, "asked_at": None,
}  # fmt: skip


async def list_sender_domains(tx: ReadTx | Tx, workspace_id: UUID) -> list[dict[str, Any]]:
    """All that its mails may come from, checked or not."""
    sender = Sender.of((await get_workspace(tx, workspace_id))["sender"])
    rows = (await tx.execute(select(sender_domains).where(ROW.workspace_id == workspace_id))).mappings()
    known = {row["domain"]: dict(row) for row in rows}
    return [{**NOTHING_KNOWN, "domain": domain, **known.get(domain, {})} for domain in sorted(sender.own_domains)]


async def states_of_domains(tx: ReadTx | Tx, workspace_id: UUID, domains: Collection[str]) -> dict[str, DomainState]:
    query = select(ROW.domain, ROW.state).where(ROW.workspace_id == workspace_id, ROW.domain.in_(sorted(domains)))
    known = {row.domain: DomainState(row.state) for row in (await tx.execute(query)).all()}
    return {domain: known.get(domain, DomainState.UNCHECKED) for domain in domains}


async def warnings_for(tx: ReadTx | Tx, campaign: AskingCampaign, *, mails: int | None) -> list[SendingWarning]:
    """Before so many mails leave at once; None: one by one, who knows how many. Test workspaces mail nobody."""
    if not campaign.livemode:
        return []
    sender = Sender.of(campaign.sender)
    states = await states_of_domains(tx, campaign.workspace_id, from_domains(campaign.asking.email, sender))
    return list(warnings_about(mails, states, sender))
