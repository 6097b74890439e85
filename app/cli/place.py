"""Where the database and the secret keys are when the environment does not say: in the data directory."""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from app.cli import secret_keys
from app.cli.refusal import Refusal
from app.config import Settings
from app.db.embedded import EmbeddedPostgres, NotSetUp
from app.db.embedded.cluster import default_directory


def read_settings(**overrides: Any) -> Settings:
    """From the environment. Raises Refusal, which repeats no value: some are secrets."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = [f"{_variable(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise Refusal("; ".join(faults)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return f"ZEROTEN_{location[0]}".upper() if location else "ZEROTEN_…"


def data_directory(settings: Settings) -> Path:
    return (settings.data_directory or default_directory()).resolve()


def settled(settings: Settings) -> Settings:
    """Completed with what a `zeroten up` has left in the data directory. Raises Refusal when there is no database."""
    return settings.model_copy(
        update={"database_url": _database_url(settings), "secret_keys": known_secret_keys(settings)}
    )


def check_alone(settings: Settings) -> None:
    """For a process without a `zeroten up` that has looked before starting it. Raises Refusal."""
    from app.cli.database import check_start  # brings Alembic along, without which a restart is quicker

    asyncio.run(check_start(settings))


def known_secret_keys(settings: Settings) -> SecretStr | None:
    if settings.secret_keys is not None:
        return settings.secret_keys
    found = secret_keys.find(data_directory(settings))
    return SecretStr(found) if found is not None else None


def _database_url(settings: Settings) -> SecretStr:
    if settings.database_url is not None:
        return settings.database_url
    try:
        return SecretStr(EmbeddedPostgres(data_directory(settings)).url)
    except NotSetUp as error:
        raise Refusal(f"{error} Or name your own with ZEROTEN_DATABASE_URL.") from None
    except PermissionError as denied:
        raise Refusal(f"{denied.filename}: permission denied; it belongs to whoever runs `zeroten up`.") from None
