"""The running server: started, watched, stopped. Synchronous; meant for the main thread of one owner process."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from app.db.embedded.account import Account, account_for
from app.db.embedded.binaries import Binaries, find_binaries, within_reach
from app.db.embedded.cluster import Cluster, default_directory, make_directory
from app.db.embedded.errors import OutOfReach, StartFailed
from app.db.embedded.launch import launch
from app.db.embedded.lock import DirectoryLock
from app.db.embedded.log import ServerLog
from app.db.embedded.orphans import clear_orphans
from app.db.embedded.waiting import end, wait_until

PAUSES_SECONDS = (0.5, 2.0)  # between three attempts to start
START_SECONDS = 600.0  # replaying a long log after a crash takes its time, and killing it would only begin again


class EmbeddedPostgres:
    """`start()`, use `url`, call `supervise()` every now and then, `stop()`; or a `with` block."""

    def __init__(
        self, directory: Path | None = None, *, bindir: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """`settings` are lines of postgresql.conf that win over ours."""
        self.cluster = Cluster((directory or default_directory()).resolve())
        self._bindir = bindir
        self._settings = dict(settings or {})
        self._lock = DirectoryLock(self.cluster.directory / "lock")
        self._log = ServerLog(self.cluster.directory / "postgres.log")
        self._account: Account
        self._binaries: Binaries
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """postgresql://… for asyncpg and, with another scheme, SQLAlchemy.

        Any process of the owner's user may ask, whether or not it started the server.
        """
        return self.cluster.url

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Return when it takes connections. Raises EmbeddedPostgresError, whose message names the remedy."""
        try:
            self._account = account_for(self.cluster.data)
            make_directory(self.cluster.directory, self._account)
            self._lock.acquire()
        except PermissionError as denied:
            raise OutOfReach(_not_yours(denied)) from denied
        try:
            self._start_as_owner()
        except PermissionError as denied:
            self.stop()
            raise OutOfReach(_not_yours(denied)) from denied
        except BaseException:
            self.stop()
            raise

    def supervise(self) -> bool:
        """Restart it if it has died; True if so. Raises StartFailed when three attempts in a row have failed."""
        if self._process is None:
            return False
        self._log.keep_short()
        if self._process.poll() is None:
            return False
        self._start_patiently()
        return True

    def stop(self) -> None:
        """Cut the sessions and shut down cleanly. Harmless when it does not run."""
        if self._process is not None:
            self._end(self._process)
            self._process = None
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_as_owner(self) -> None:
        found = find_binaries(self._bindir, data_major=self.cluster.major)
        self._binaries = within_reach(found, self._account)
        clear_orphans(self.cluster.data, self.cluster.sockets, self._account)
        self.cluster.prepare(self._account, self._binaries, self._settings)
        self._start_patiently()

    def _start_patiently(self) -> None:
        for pause_seconds in PAUSES_SECONDS:
            if self._start_once():
                return
            time.sleep(pause_seconds)
        if not self._start_once():
            raise StartFailed(f"PostgreSQL does not start. The end of {self._log.path}:\n{self._log.tail()}")

    def _start_once(self) -> bool:
        clear_orphans(self.cluster.data, self.cluster.sockets, self._account)
        command = self.cluster.server_command(self._binaries)
        with self._log.open() as log:
            process = self._process = launch(command, uid=self._account.uid, gid=self._account.gid, output=log)
        wait_until(lambda: process.poll() is not None or self.cluster.is_ready(process.pid), seconds=START_SECONDS)
        if process.poll() is None and self.cluster.is_ready(process.pid):
            return True
        self._end(process)
        return False

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        end(process.send_signal, has_ended=lambda: process.poll() is not None)


def _not_yours(denied: PermissionError) -> str:
    return (
        f"{denied.filename}: permission denied to uid {os.geteuid()}. If the directory is another user's, start as "
        "that user; else choose a directory of your own with ZEROTEN_DATA_DIRECTORY."
    )
