"""Where `zeroten up` keeps its data: in an embedded PostgreSQL, or in somebody else's. One `up` for each directory."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from pydantic import SecretStr

from app.cli.place import data_directory
from app.cli.refusal import Refusal
from app.config import Settings
from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.db.embedded.lock import DirectoryLock
from app.queries.instance import DIRECTORY_SETTING

log = structlog.get_logger()


class Storage:
    """Synchronous, and for the main thread, as the embedded server is."""

    def __init__(self, settings: Settings) -> None:
        self.directory = data_directory(settings)
        self._given = settings.database_url
        self._bindir = settings.postgres_bindir
        self._server: EmbeddedPostgres | None = None
        self._lock = DirectoryLock(self.directory / "lock")

    @property
    def url(self) -> SecretStr:
        return self._given or SecretStr(EmbeddedPostgres(self.directory).url)

    def __enter__(self) -> Self:
        """Raises Refusal when another `up` has the directory, or PostgreSQL does not start."""
        try:
            if self._given is None:
                self._start_server()
            else:
                _make_directory(self.directory)
                self._lock.acquire()
        except EmbeddedPostgresError as error:
            raise Refusal(str(error)) from None
        except OSError as error:
            raise Refusal(f"{error.filename}: {error.strerror}. See ZEROTEN_DATA_DIRECTORY.") from None
        return self

    def supervise(self) -> None:
        """Raises Refusal when the server has ended and cannot be started again."""
        try:
            if self._server is not None and self._server.supervise():
                log.error("PostgreSQL ended; it has been started again")
        except EmbeddedPostgresError as error:
            raise Refusal(str(error)) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()
            log.info("PostgreSQL stopped")
        self._lock.release()

    def _start_server(self) -> None:
        where_it_is = {DIRECTORY_SETTING: str(self.directory)}
        self._server = EmbeddedPostgres(self.directory, bindir=self._bindir, settings=where_it_is)
        log.info("starting PostgreSQL", directory=str(self.directory))
        self._server.start()


def _make_directory(directory: Path) -> None:
    """For keys alone. As root others pass through, as for an embedded server, which may come to live here."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
