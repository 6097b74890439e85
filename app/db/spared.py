"""Work for one tenant within a transaction for many: where it fails, the others go on."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from app.db.engine import Tx
from app.db.statements import QUERY_CANCELED, sqlstate_of
from app.db.troubles import trouble_in

Result = TypeVar("Result")
AGAIN_AFTER_FAILURE = timedelta(minutes=10)


async def spared(tx: Tx, act: Callable[[], Awaitable[Result]]) -> Result | Exception:
    """Its error, with nothing of it kept. Troubles of the database itself are everybody's, and raised."""
    try:
        async with tx.begin_nested():
            return await act()
    except Exception as error:
        if trouble_in(error) is not None and sqlstate_of(error) != QUERY_CANCELED:
            raise
        return error
