"""Nothing leaves a database that was restored or copied here, until somebody says that it is to take over."""

from functools import wraps

import structlog

from app.clock import utc_now
from app.db.engine import Engine
from app.operations.instance import recognise_instance
from app.workers.loop import Step

log = structlog.get_logger()


def only_at_home(engine: Engine, step: Step) -> Step:
    """Asks before every step until the answer is yes, so that an adoption needs no restart."""
    home = _Home(engine)

    @wraps(step)
    async def guarded() -> bool:
        return await home.is_reached() and await step()

    return guarded


class _Home:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_reached = False
        self._has_said_no = False

    async def is_reached(self) -> bool:
        if not self._is_reached:
            async with self._engine.write() as tx:
                self._is_reached = (await recognise_instance(tx, now=utc_now())).is_at_home
            self._tell()
        return self._is_reached

    def _tell(self) -> None:
        if self._is_reached and self._has_said_no:
            log.info("this database has been adopted: sending")
        elif not self._is_reached and not self._has_said_no:
            log.error("this database was restored or copied here: nothing is sent", remedy="zeroten adopt")
            self._has_said_no = True
