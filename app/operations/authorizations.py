"""Somebody is asked at a service to let a connector in. What they bring back a worker turns into a refresh token."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import fetch, some_of
from app.db.tables import authorizations
from app.db.vault import Vault
from app.domain.base64url import encoded
from app.domain.connectors.authorization import (
    CONSENT_WITHIN,
    EXCHANGE_WITHIN,
    LONGEST_CODE,
    MOST_WAITING,
    SECRET_BYTES,
    USE_WITHIN,
    VERIFIER_BYTES,
    AuthorizationFailure,
    AuthorizationState,
    AuthorizationUnusable,
    Consent,
    StateOf,
    TooManyAuthorizations,
    failure_named,
)
from app.domain.connectors.catalogue import connector_asking, connector_of
from app.domain.connectors.settings import settings_apart
from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.receiver_url import UnusableURL, check_receiver_url

RETRY = timedelta(seconds=5)
FORGOTTEN_AFTER, AT_ONCE = timedelta(days=1), 1_000  # behind the end of its time
LONGEST_REPLY = 500  # characters


async def begin_authorization(
    tx: Tx,
    vault: Vault,
    workspace_id: UUID,
    *,
    kind: str,
    settings: Mapping[str, Any],
    redirect_url: str,
    guard: Guard,
    now: datetime,
) -> UUID:
    """Raises AuthorizationUnusable, ConnectorSettingsUnusable, UnusableURL, TooManyAuthorizations."""
    connector = connector_asking(kind, settings)
    for name in connector.addresses:
        _check_address(name, getattr(connector, name), guard=guard)
    if (await fetch(tx, _COUNT, workspace_id, now))[0]["waiting"] >= MOST_WAITING:
        raise TooManyAuthorizations(f"{MOST_WAITING} wait for consent already. Each of them ends within ten minutes.")
    public, secret = settings_apart(connector)
    state = StateOf(workspace_id, new_id(now), os.urandom(SECRET_BYTES))
    kept = {"settings": secret, "state": state.text, "verifier": encoded(os.urandom(VERIFIER_BYTES))}
    row = {
        "workspace_id": workspace_id, "id": state.id, "kind": kind,
        "settings": {name: value for name, value in public.items() if name in {*settings, *connector.addresses}},
        "sealed": vault.seal(json.dumps(kept), workspace_id=workspace_id, row_id=state.id),
        "state_digest": state.digest, "redirect_url": redirect_url, "expires_at": now + CONSENT_WITHIN,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    await tx.execute(insert(authorizations).values(row))
    return state.id


def consent_url_of(vault: Vault, row: Mapping[str, Any]) -> str | None:
    """Where to send somebody; none once they have been there."""
    if row["state"] != AuthorizationState.WAITING:
        return None
    kept = _opened(vault, row)
    connector = connector_of(row["kind"], {**row["settings"], **kept["settings"]})
    return connector.consent_url(Consent(row["redirect_url"], kept["state"], kept["verifier"]))


async def answer_authorization(
    tx: Tx, vault: Vault, state: StateOf, said: Mapping[str, str], *, now: datetime
) -> AuthorizationState | None:
    """What they came back with, once. None of a state that is over, or none of ours."""
    rows = await fetch(tx, _LOCK, state.workspace_id, state.id, state.digest, now)
    if not rows:
        return None
    row = {**rows[0], "settings": json.loads(rows[0]["settings"])}
    kept = _opened(vault, row)
    connector = connector_of(row["kind"], {**row["settings"], **kept["settings"]})
    server = connector.going_on_at(said["accounts-server"]) if "accounts-server" in said else connector
    if server is None:
        return await _fail(tx, state, AuthorizationFailure.WRONG_SERVER, said, now=now)
    failure = _refusal(said)
    if failure is not None:
        return await _fail(tx, state, failure, said, now=now)
    sealed = vault.seal(
        json.dumps({**kept, "code": said["code"]}), workspace_id=state.workspace_id, row_id=state.id
    )  # fmt: skip
    where = json.dumps({name: getattr(server, name) for name in server.addresses})
    await fetch(tx, _TAKE_CODE, state.workspace_id, state.id, where, sealed, now, now + EXCHANGE_WITHIN)
    return AuthorizationState.EXCHANGING


async def _fail(
    tx: Tx, state: StateOf, failure: AuthorizationFailure, said: Mapping[str, str], *, now: datetime
) -> AuthorizationState:
    what = ": ".join(filter(None, (said.get("error"), said.get("error_description"))))
    await fetch(tx, _FAIL, state.workspace_id, state.id, failure, printable(what), now, None)
    return AuthorizationState.FAILED


@dataclass(frozen=True, slots=True)
class ClaimedAuthorization:
    workspace_id: UUID
    id: UUID
    claim_id: UUID
    kind: str
    settings: Mapping[str, Any] = field(repr=False)
    sealed: bytes
    redirect_url: str
    expires_at: datetime

    def opened(self, vault: Vault) -> dict[str, Any]:
        """Raises CannotOpenSecret."""
        opened: dict[str, Any] = json.loads(vault.open(self.sealed, workspace_id=self.workspace_id, row_id=self.id))
        return opened


async def claim_authorization(tx: Tx, *, lease_seconds: float) -> ClaimedAuthorization | None:
    rows = await fetch(tx, _CLAIM, uuid4(), lease_seconds)
    return ClaimedAuthorization(**{**rows[0], "settings": json.loads(rows[0]["settings"])}) if rows else None


async def grant_authorization(
    tx: Tx, vault: Vault, claimed: ClaimedAuthorization, *, refresh_token: str, now: datetime
) -> None:
    kept = {"settings": claimed.opened(vault)["settings"] | {"refresh_token": refresh_token}}
    sealed = vault.seal(json.dumps(kept), workspace_id=claimed.workspace_id, row_id=claimed.id)
    await fetch(tx, _GRANT, claimed.workspace_id, claimed.id, claimed.claim_id, sealed, now, now + USE_WITHIN)


async def refuse_authorization(
    tx: Tx, claimed: ClaimedAuthorization, failure: AuthorizationFailure, *, reply: str, now: datetime
) -> None:
    await fetch(tx, _FAIL, claimed.workspace_id, claimed.id, failure.value, printable(reply), now, claimed.claim_id)


async def put_off_authorization(tx: Tx, claimed: ClaimedAuthorization, *, now: datetime) -> None:
    await fetch(tx, _PUT_OFF, claimed.workspace_id, claimed.id, claimed.claim_id, now + RETRY)


async def use_authorization(
    tx: Tx, vault: Vault, workspace_id: UUID, authorization_id: UUID, *, kind: str, now: datetime
) -> dict[str, Any]:
    """All settings that it brings, for one endpoint: services take back what two use. Raises AuthorizationUnusable."""
    rows = await fetch(tx, _USE, workspace_id, authorization_id, kind, now)
    if not rows:
        said = "There is none with this id for this kind that has been granted and not used."
        raise AuthorizationUnusable(said, pointer="/authorization_id")
    place = {"workspace_id": workspace_id, "row_id": authorization_id}
    return {**json.loads(rows[0]["settings"]), **json.loads(vault.open(rows[0]["sealed"], **place))["settings"]}


async def forget_authorizations(tx: Tx, *, now: datetime) -> int:
    """One batch of those that are over; says how many."""
    return len(await fetch(tx, _FORGET, now - FORGOTTEN_AFTER, AT_ONCE))


def _check_address(name: str, url: str, *, guard: Guard) -> None:
    try:
        check_receiver_url(url, guard=guard)
    except UnusableURL as error:
        error.pointer = f"/settings/{name}"
        raise


def printable(text: str) -> str | None:
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST_REPLY] or None


def _refusal(said: Mapping[str, str]) -> AuthorizationFailure | None:
    if "error" in said:
        return failure_named(said["error"]) or AuthorizationFailure.REFUSED
    is_code = 0 < len(said.get("code", "")) <= LONGEST_CODE
    return None if is_code else AuthorizationFailure.REFUSED


def _opened(vault: Vault, row: Mapping[str, Any]) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(vault.open(row["sealed"], workspace_id=row["workspace_id"], row_id=row["id"]))
    return opened


_COUNT = """
    SELECT count(*) AS waiting FROM authorizations WHERE workspace_id = $1 AND state = 'waiting' AND expires_at > $2
"""
_LOCK = """
    SELECT workspace_id, id, kind, settings::text AS settings, sealed FROM authorizations
    WHERE workspace_id = $1 AND id = $2 AND state_digest = $3 AND state = 'waiting' AND expires_at > $4 FOR UPDATE
"""
_TAKE_CODE = """
    UPDATE authorizations SET state = 'exchanging', settings = settings || $3::text::jsonb, sealed = $4, due_at = $5,
        updated_at = $5, expires_at = $6
    WHERE workspace_id = $1 AND id = $2
"""
# One at a time of each workspace, so that one whose service is slow holds up itself.
_CLAIM = """
    WITH due AS (
        SELECT workspace_id, id FROM authorizations a WHERE due_at <= clock_timestamp() AND NOT EXISTS (
            SELECT FROM authorizations o
            WHERE o.workspace_id = a.workspace_id AND o.claim_id IS NOT NULL AND o.due_at > clock_timestamp()
        )
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE authorizations a SET claim_id = $1, due_at = clock_timestamp() + make_interval(secs => $2)
    FROM due WHERE a.workspace_id = due.workspace_id AND a.id = due.id
    RETURNING a.workspace_id, a.id, a.claim_id, a.kind, a.settings::text AS settings, a.sealed, a.redirect_url,
        a.expires_at
"""
_GRANT = """
    UPDATE authorizations SET state = 'granted', sealed = $4, due_at = NULL, claim_id = NULL, updated_at = $5,
        expires_at = $6
    WHERE workspace_id = $1 AND id = $2 AND claim_id = $3
"""
_FAIL = """
    UPDATE authorizations SET state = 'failed', sealed = NULL, due_at = NULL, claim_id = NULL, failure = $3,
        last_reply = $4, updated_at = $5
    WHERE workspace_id = $1 AND id = $2 AND state IN ('waiting', 'exchanging')
        AND claim_id IS NOT DISTINCT FROM $6::uuid
"""
_PUT_OFF = """
    UPDATE authorizations SET due_at = $4, claim_id = NULL WHERE workspace_id = $1 AND id = $2 AND claim_id = $3
"""
_USE = """
    WITH granted AS (
        SELECT settings::text AS settings, sealed FROM authorizations
        WHERE workspace_id = $1 AND id = $2 AND kind = $3 AND state = 'granted' AND expires_at > $4 FOR UPDATE
    ), used AS (
        UPDATE authorizations SET state = 'used', sealed = NULL, updated_at = $4
        WHERE workspace_id = $1 AND id = $2 AND EXISTS (SELECT FROM granted)
    )
    SELECT * FROM granted
"""
_OLD = some_of("authorizations", "expires_at < $1", limit="$2")
_FORGET = f"DELETE FROM authorizations WHERE {_OLD} RETURNING 1"
