import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.engine import Engine


async def is_ready(engine: Engine) -> bool:
    """Whether the database answers and has been migrated."""
    try:
        async with engine.read() as tx:
            await tx.execute(text("SELECT version_num FROM alembic_version"))
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True
