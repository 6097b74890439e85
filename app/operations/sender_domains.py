"""Checks of the domains that mails come from: asked for, taken by a worker, written down, acted upon."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.mail.domain_check.check import DomainCheck
from app.domain.mail.domain_check.finding import DomainState, Severity
from app.domain.mail.sender import Sender, SenderMissing
from app.operations.invitations.hold import hold_waves_from
from app.operations.notices import notify
from app.queries.workspaces import find_workspace, get_workspace

CHECKED_EVERY = timedelta(days=1)
SOONEST = timedelta(seconds=10)  # after the last one: asking again and again asks the same name servers
LEASE = timedelta(minutes=5)
AT_ONCE = 5
# What failed from the start was seen by whoever set it up.
FAILING_IS_NEWS_AFTER = {DomainState.PASSED, DomainState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class ClaimedDomain:
    workspace_id: UUID
    domain: str
    state: DomainState  # as it was
    sender: Sender
    until: datetime  # ours; with another `due_at` somebody has asked for a check of what holds now


async def check_again(tx: Tx, workspace_id: UUID, *, now: datetime) -> None:
    """Raises SenderMissing."""
    sender = Sender.of((await get_workspace(tx, workspace_id))["sender"])
    if not sender.own_domains:
        raise SenderMissing("Say first whom mails come from: give the workspace a sender.from_email.")
    await ask_for_checks(tx, workspace_id, sender, now=now)


async def ask_for_checks(
    tx: Tx, workspace_id: UUID, sender: Sender, *, now: datetime, is_changed: bool = False
) -> None:
    """Of all domains that its mails may come from; others are forgotten. A check under way counts, unless what it
    goes by is another now."""
    domains = sorted(sender.own_domains)
    await fetch(tx, _FORGET_OTHERS, workspace_id, domains)
    await fetch(tx, _ASK, workspace_id, domains, now, SOONEST, now - LEASE, is_changed)


async def claim_domain_checks(tx: Tx, *, now: datetime) -> list[ClaimedDomain]:
    rows = await fetch(tx, _CLAIM, now, now + LEASE, AT_ONCE)
    return [await _claimed(tx, row, now + LEASE) for row in rows]


async def _claimed(tx: Tx, row: Mapping[str, Any], until: datetime) -> ClaimedDomain:
    workspace = await find_workspace(tx, row["workspace_id"])
    assert workspace is not None
    sender = Sender.of(workspace["sender"])
    return ClaimedDomain(row["workspace_id"], row["domain"], DomainState(row["state"]), sender, until)


async def settle_domain_check(tx: Tx, claimed: ClaimedDomain, check: DomainCheck, *, now: datetime) -> None:
    """Whoever looks after the workspace hears of a domain that has failed now, and large waves from it stop."""
    findings = json.dumps([finding.to_json() for finding in check.findings])
    said = check.state.value, findings, json.dumps(check.found()), now, now + CHECKED_EVERY
    settled = await fetch(tx, _SETTLE, claimed.workspace_id, claimed.domain, claimed.until, *said)
    if not settled or check.state is not DomainState.FAILED:
        return
    if claimed.state in FAILING_IS_NEWS_AFTER:
        text = _text(claimed.domain, check)
        await notify(tx, claimed.workspace_id, subject=f"mail from {claimed.domain}", text=text, now=now)
    await hold_waves_from(tx, claimed.workspace_id, claimed.domain, now=now)


def _text(domain: str, check: DomainCheck) -> str:
    faults = [f"- {one.name}: {one.text}" for one in check.findings if one.severity is Severity.FAILED]
    return "\n".join([f"{domain} is not set up so that mail services take mail from it:", "", *faults, ""])


_FORGET_OTHERS = "DELETE FROM sender_domains WHERE workspace_id = $1 AND domain <> ALL($2::text[])"
_ASK = """
    INSERT INTO sender_domains AS d (workspace_id, domain, asked_at, due_at)
    SELECT $1, domain, $3::timestamptz, $3::timestamptz FROM unnest($2::text[]) AS g (domain) ORDER BY domain
    ON CONFLICT (workspace_id, domain) DO UPDATE
        SET asked_at = $3, due_at = greatest($3, d.checked_at + $4::interval)
        WHERE $6::boolean OR d.asked_at IS NULL OR d.asked_at < $5
"""
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT workspace_id, domain FROM sender_domains WHERE due_at <= $1
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    )
    UPDATE sender_domains d SET due_at = $2 FROM due
    WHERE d.workspace_id = due.workspace_id AND d.domain = due.domain
    RETURNING d.workspace_id, d.domain, d.state
"""
_SETTLE = """
    UPDATE sender_domains SET state = $4, findings = $5::jsonb, found = $6::jsonb, checked_at = $7, asked_at = NULL,
        due_at = $8
    WHERE workspace_id = $1 AND domain = $2 AND due_at = $3
    RETURNING domain
"""
