"""Tenants, always in pairs of a live and a test workspace, and what changing one sets going."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.tables import workspaces
from app.domain.keys import EVERYTHING, KeyKind
from app.domain.mail.sender import Sender, changed_sender, is_to_be_checked
from app.domain.scores.period import UnknownTimeZone, zone_named
from app.domain.survey.brand import changed_brand
from app.operations.api_keys import issue_key
from app.operations.invitations.replan import replan_by_quarantine, replan_by_time_zone
from app.operations.sender_domains import ask_for_checks

PARTS = {"brand": changed_brand, "sender": changed_sender}


@dataclass(frozen=True, slots=True)
class CreatedWorkspace:
    live_id: UUID
    test_id: UUID


@dataclass(frozen=True, slots=True)
class NewKey:
    kind: KeyKind
    mode: str
    token: str  # shown this once


@dataclass(frozen=True, slots=True)
class OpenedWorkspace:
    live_id: UUID
    test_id: UUID
    keys: Sequence[NewKey]


async def open_workspace(tx: Tx, name: str, *, time_zone: str, now: datetime) -> OpenedWorkspace:
    """A live and a test workspace, each with a key of either kind that may do everything. Raises UnknownTimeZone."""
    await _check_time_zone(tx, time_zone)
    made = await create_workspace(tx, name, time_zone=time_zone, now=now)
    keys = [
        NewKey(kind, mode, await _first_key(tx, workspace_id, kind=kind, mode=mode, now=now))
        for mode, workspace_id in (("live", made.live_id), ("test", made.test_id))
        for kind in KeyKind
    ]
    return OpenedWorkspace(made.live_id, made.test_id, keys)


async def create_workspace(tx: Tx, name: str, *, time_zone: str, now: datetime) -> CreatedWorkspace:
    """Always a pair: one for real answers and one to try things in."""
    live, test = new_id(now), new_id(now)
    common = {"name": name, "time_zone": time_zone, "created_at": now}
    await tx.execute(
        insert(workspaces),
        [
            {"id": live, "sibling_id": test, "mode": "live", **common},
            {"id": test, "sibling_id": live, "mode": "test", **common},
        ],
    )
    return CreatedWorkspace(live, test)


async def _first_key(tx: Tx, workspace_id: UUID, *, kind: KeyKind, mode: str, now: datetime) -> str:
    is_secret = kind is KeyKind.SECRET
    key = await issue_key(
        tx, workspace_id, mode=mode, kind=kind, name="first key", now=now,
        scopes=(EVERYTHING,) if is_secret else (), allowed_origins=() if is_secret else (EVERYTHING,),
    )  # fmt: skip
    return key.token


async def change_workspace(tx: Tx, workspace_id: UUID, changes: Mapping[str, Any], *, now: datetime) -> None:
    """A new time zone decides the day of later answers only, and the hour at which dates are asked about; what was
    counted stays. `brand` and `sender` name what changes in them. Domains that mails come from now are checked. Whoever
    waits for the end of a quarantine that is shorter now waits no longer than that.

    Raises UnknownTimeZone, BrandInvalid, SenderInvalid.
    """
    if not changes:
        return
    if "time_zone" in changes:
        await _check_time_zone(tx, changes["time_zone"])
    this = workspaces.c.id == workspace_id
    before = (await tx.execute(select(workspaces).where(this).with_for_update(key_share=True))).mappings().one()
    parts = {part: change(before[part], changes[part]) for part, change in PARTS.items() if part in changes}
    after = {**before, **changes, **parts}
    await _follow(tx, before, after, now=now)
    changed = {name: after[name] for name in changes}
    await tx.execute(update(workspaces).where(this).values(**changed, revision=workspaces.c.revision + 1))


async def _follow(tx: Tx, before: Mapping[Any, Any], after: Mapping[Any, Any], *, now: datetime) -> None:
    """What else has to be looked at when this changes."""
    if is_to_be_checked(before["sender"], after["sender"]):
        await ask_for_checks(tx, before["id"], Sender.of(after["sender"]), now=now, is_changed=True)
    if after["quarantine_days"] < before["quarantine_days"]:
        await replan_by_quarantine(tx, before["id"], now=now)
    if after["time_zone"] != before["time_zone"]:
        await replan_by_time_zone(tx, before["id"], now=now)


async def _check_time_zone(tx: Tx, name: str) -> None:
    """PostgreSQL has a list of its own, and it is PostgreSQL that finds the day of an answer."""
    zone_named(name)
    try:
        async with tx.begin_nested():
            await tx.execute(text("SELECT now() AT TIME ZONE :name"), {"name": name})
    except DBAPIError as error:
        raise UnknownTimeZone("Use an IANA time zone such as Europe/Berlin.", pointer="/time_zone") from error
