"""The database, for a verb that needs it now: whatever is wrong with it is said in one sentence."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.cli.refusal import Refusal
from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.db.migrations import migrate, pending_migrations
from app.db.vault import CannotOpenSecret, Vault
from app.queries.check_secrets import check_secrets
from app.queries.doctor import OLDEST_VERSION

UNREACHABLE = (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)


def open_engine(settings: Settings) -> Engine:
    """Raises Refusal when the URL is none."""
    assert settings.database_url is not None
    try:
        return Engine(settings.database_url.get_secret_value(), pool_size=2)
    except ValueError as error:
        raise Refusal(f"ZEROTEN_DATABASE_URL: {error}.") from None


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Engine]:
    """`settings` must be settled. Raises Refusal when the database does not answer, or is too old."""
    engine = open_engine(settings)
    try:
        await _check_server(engine)
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def migrated(settings: Settings) -> AsyncIterator[Engine]:
    """As `connected`, and with this version's schema."""
    async with connected(settings) as engine:
        if await pending_migrations(engine):
            raise Refusal("The database is not up to date with this version. Run `zeroten migrate` first.")
        yield engine


async def bring_up_to_date(engine: Engine) -> bool:
    """Whether there was anything to do. Raises Refusal."""
    try:
        is_behind = await pending_migrations(engine)
        if is_behind:
            await migrate(engine)
    except UNREACHABLE as error:
        raise Refusal(f"The migration did not succeed, and can be run again: {_first_line(error)}.") from error
    return is_behind


async def check_start(settings: Settings) -> None:
    """What a process of the service would fail over later, told before it starts. Raises Refusal."""
    vault = open_vault(settings)
    async with migrated(settings) as engine, engine.read() as tx:
        try:
            await check_secrets(tx, vault, now=utc_now())
        except CannotOpenSecret as error:
            raise Refusal(str(error)) from None


def open_vault(settings: Settings) -> Vault:
    if settings.secret_keys is None:
        raise Refusal(
            "ZEROTEN_SECRET_KEYS is not set. It takes 32 random bytes in base64, such as `openssl rand -base64 32` "
            "prints, the same for every process, and must not get lost."
        )
    try:
        return Vault.read(settings.secret_keys.get_secret_value())
    except ValueError as error:
        raise Refusal(f"{error}.") from None


async def _check_server(engine: Engine) -> None:
    try:
        async with engine.read() as tx:
            number = int((await tx.execute(text("SHOW server_version_num"))).scalar_one())
    except UNREACHABLE as error:
        raise Refusal(f"The database does not answer: {_first_line(error)}. {_REMEDY}") from None
    if number // 10_000 < OLDEST_VERSION:
        raise Refusal(f"The server is PostgreSQL {number // 10_000}; Zeroten needs {OLDEST_VERSION} or newer.")


_REMEDY = "`zeroten up` starts an embedded PostgreSQL; ZEROTEN_DATABASE_URL names your own."


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).partition("\n")[0] or type(cause).__name__).rstrip(".")
