import asyncio
from argparse import Namespace
from datetime import datetime, timedelta

from rich.console import Console

from app.cli.database import migrated
from app.cli.place import read_settings, settled
from app.cli.refusal import Refusal
from app.clock import utc_now
from app.config import Settings
from app.db.engine import Tx
from app.domain.ids import parsed
from app.domain.keys import EVERYTHING, SCOPES, KeyKind, check_key, origin_spelled
from app.operations.api_keys import issue_key
from app.queries.workspaces import find_workspace

MOST_DAYS = 36_500


def run(arguments: Namespace) -> int:
    token = asyncio.run(_create(settled(read_settings()), arguments))
    Console(highlight=False, soft_wrap=True).print(token)
    return 0


async def _create(settings: Settings, arguments: Namespace) -> str:
    async with migrated(settings) as engine, engine.write() as tx:
        return await _issue(tx, arguments)


async def _issue(tx: Tx, arguments: Namespace) -> str:
    workspace_id = parsed("workspace", arguments.workspace)
    workspace = await find_workspace(tx, workspace_id) if workspace_id else None
    if workspace_id is None or workspace is None:
        raise Refusal(f"There is no workspace {arguments.workspace}; `zeroten workspace list` shows those there are.")
    kind, now = KeyKind(arguments.kind), utc_now()
    scopes = _scopes(arguments.scopes) if kind is KeyKind.SECRET else ()
    origins = _origins(arguments.origins)
    expires_at = _expiry(arguments.days, now)
    check_key(kind, scopes=scopes, allowed_origins=origins, expires_at=expires_at, now=now)
    key = await issue_key(
        tx, workspace_id, mode=workspace["mode"], kind=kind, name=arguments.name,
        scopes=scopes, allowed_origins=origins, expires_at=expires_at, now=now,
    )  # fmt: skip
    return key.token


def _expiry(days: int | None, now: datetime) -> datetime | None:
    if days is not None and days > MOST_DAYS:
        raise Refusal(f"A key lasts at most {MOST_DAYS} days; leave --days out for one that does not expire.")
    return None if days is None else now + timedelta(days=days)


def _scopes(text: str) -> tuple[str, ...]:
    scopes = _listed(text)
    if unknown := sorted(set(scopes) - {*SCOPES, EVERYTHING}):
        raise Refusal(f"There is no scope {', '.join(unknown)}. There are: {', '.join(SCOPES)}, and * for all.")
    return scopes


def _origins(text: str) -> tuple[str, ...]:
    try:
        return tuple(origin_spelled(origin) for origin in _listed(text))
    except ValueError as error:
        raise Refusal(f"An origin {error}.") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
