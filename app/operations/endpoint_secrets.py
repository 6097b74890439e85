"""Secrets that sign webhooks: sealed at rest, several at a time while one replaces another."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.tables import endpoint_secrets
from app.db.vault import Vault
from app.domain.webhooks.webhook_endpoint import MOST_SECRETS, EndpointDoesNotSign, Signing, TooManySecrets, signing_of
from app.domain.webhooks.webhook_secret import new_private_key, new_shared_secret, public_key_of

SECRET_BYTES = 32
NAMED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewSecret:
    id: UUID
    shown: str | None  # this once; what only we need to know is never shown


async def make_secret(
    tx: Tx, vault: Vault, workspace_id: UUID, endpoint_id: UUID, *, signing: Signing, now: datetime
) -> NewSecret:
    secret_id, secret = new_id(now), _random_secret(signing)
    await tx.execute(
        insert(endpoint_secrets).values(
            workspace_id=workspace_id,
            endpoint_id=endpoint_id,
            id=secret_id,
            ciphertext=vault.seal(secret, workspace_id=workspace_id, row_id=secret_id),
            hint=_hint(secret, signing),
            created_at=now,
        )
    )
    return NewSecret(secret_id, secret if signing is Signing.SHARED else None)


async def rotate_secret(
    tx: Tx,
    vault: Vault,
    workspace_id: UUID,
    endpoint_id: UUID,
    *,
    signing: Signing | None,
    overlap: timedelta,
    now: datetime,
) -> NewSecret:
    """The endpoint is locked by the caller. Without `signing`, the kind stays.

    Raises TooManySecrets, EndpointDoesNotSign.
    """
    own = (endpoint_secrets.c.workspace_id == workspace_id, endpoint_secrets.c.endpoint_id == endpoint_id)
    current = await _current_signing(tx, workspace_id, endpoint_id)
    signing = signing or current
    until = now + overlap
    sooner = or_(endpoint_secrets.c.expires_at.is_(None), endpoint_secrets.c.expires_at > until)
    await tx.execute(update(endpoint_secrets).where(*own, sooner).values(expires_at=until))
    in_use = select(func.count()).where(*own, endpoint_secrets.c.expires_at > now)
    if (await tx.execute(in_use)).scalar_one() >= MOST_SECRETS:
        raise TooManySecrets(f"At most {MOST_SECRETS} secrets sign at a time; wait for one to expire.")
    return await make_secret(tx, vault, workspace_id, endpoint_id, signing=signing, now=now)


async def destroy_secrets(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> None:
    own = (endpoint_secrets.c.workspace_id == workspace_id, endpoint_secrets.c.endpoint_id == endpoint_id)
    await tx.execute(delete(endpoint_secrets).where(*own))


async def destroy_expired_secrets(tx: Tx, *, now: datetime) -> int:
    """How many. For a day they can still be named, by whoever repeats the call that made them."""
    return (await tx.execute(delete(endpoint_secrets).where(endpoint_secrets.c.expires_at < now - NAMED_FOR))).rowcount


async def _current_signing(tx: Tx, workspace_id: UUID, endpoint_id: UUID) -> Signing:
    newest = (
        select(endpoint_secrets.c.hint)
        .where(endpoint_secrets.c.workspace_id == workspace_id, endpoint_secrets.c.endpoint_id == endpoint_id)
        .order_by(endpoint_secrets.c.id.desc())
        .limit(1)
    )
    hint = (await tx.execute(newest)).scalar_one_or_none()
    if hint is None:
        raise EndpointDoesNotSign("A connector logs in with its settings; change those.")
    return signing_of(hint)


def _random_secret(signing: Signing) -> str:
    random = secrets.token_bytes(SECRET_BYTES)
    return new_shared_secret(random) if signing is Signing.SHARED else new_private_key(random)


def _hint(secret: str, signing: Signing) -> str:
    """Base64 ends in padding, which tells nothing apart."""
    return secret.rstrip("=")[-4:] if signing is Signing.SHARED else public_key_of(secret)
