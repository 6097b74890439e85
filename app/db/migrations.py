"""Brings a database to the schema of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import app
from app.db.engine import Engine


async def migrate(engine: Engine, *, to: str = "head") -> None:
    """Runs under an advisory lock, so two processes that start together migrate once."""
    async with engine.raw.connect() as connection:
        await connection.run_sync(lambda sync: command.upgrade(configuration(sync), to))


async def pending_migrations(engine: Engine) -> bool:
    """False also for a schema newer than this version: while a new one is rolled out, old processes go on with it."""
    async with engine.raw.connect() as connection:
        return await connection.run_sync(_is_behind)


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _is_behind(connection: Connection) -> bool:
    scripts = ScriptDirectory.from_config(configuration(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    return current is None or (current in known and current != scripts.get_current_head())


def _scripts() -> Path:
    inside_the_wheel = Path(app.__file__).parent / "_migrations"
    return inside_the_wheel if inside_the_wheel.exists() else Path(app.__file__).parent.parent / "migrations"
