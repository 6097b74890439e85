"""Who is asking. Keys are looked up by SHA-256 and remembered for a moment, so a revocation holds everywhere soon."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from time import monotonic

from app.api.problems import Refused
from app.db.engine import Engine
from app.domain.keys import KeyKind
from app.operations.api_keys import note_use
from app.queries.api_keys import Caller, find_caller

REMEMBERED_SECONDS = 4.0  # a revocation is promised to hold within 5 s
REMEMBERED_KEYS = 10_000


class Keyring:
    """The keys this process has seen lately."""

    def __init__(self, engine: Engine) -> None:
        self.remembered_seconds = REMEMBERED_SECONDS
        self._engine = engine
        self._known: dict[str, tuple[float, Caller | None]] = {}
        self._asking: dict[str, asyncio.Task[Caller | None]] = {}

    def remembered(self, token: str) -> tuple[bool, Caller | None]:
        """(whether we may rely on it, who it is); without waiting, for the hot routes."""
        known = self._known.get(token)
        if known is None or known[0] < monotonic():
            return False, None
        return True, known[1]

    async def caller(self, token: str, now: datetime) -> Caller:
        """Raises `Refused` 401."""
        fresh, caller = self.remembered(token)
        if not fresh:
            caller = await self._ask_once(token, now)
        if caller is None or (caller.expires_at is not None and caller.expires_at <= now):
            raise unauthorized("This API key is unknown, revoked or expired.")
        return caller

    async def _ask_once(self, token: str, now: datetime) -> Caller | None:
        """However many requests wait for the same key, the database is asked once."""
        task = self._asking.get(token)
        if task is None:
            task = self._asking[token] = asyncio.create_task(self._ask(token, now))
            task.add_done_callback(lambda _: self._asking.pop(token, None))
        return await asyncio.shield(task)

    async def _ask(self, token: str, now: datetime) -> Caller | None:
        token_hash = hashlib.sha256(token.encode()).digest()
        asked_at = monotonic()  # not when the reply came: a slow database must not stretch the promise
        async with self._engine.write() as tx:
            caller = await find_caller(tx, token_hash, now=now)
            if caller is not None:
                await note_use(tx, caller, now=now)
        if len(self._known) >= REMEMBERED_KEYS:
            self._known.clear()
        self._known[token] = (asked_at + self.remembered_seconds, caller)
        return caller


def token_of(headers: Mapping[str, str]) -> str:
    """From `Authorization: Bearer …`, or Basic with the key as user name. Raises `Refused` 401."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    if scheme.lower() == "basic" and credentials:
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except ValueError:
            raise unauthorized("The Basic credentials are not base64.") from None
    raise unauthorized("Send your API key as `Authorization: Bearer zt_sk_…`.")


def unauthorized(detail: str) -> Refused:
    return Refused("unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="zeroten"'})


def require_scope(caller: Caller, scope: str) -> None:
    if caller.kind != KeyKind.SECRET:
        raise Refused("secret_key_needed", "A publishable key may only send answers from a widget.")
    if not caller.may(scope):
        raise Refused("scope_missing", f"This key lacks the scope {scope}.", scope=scope)
