"""The running server: started, watched, stopped. Synchronous; meant for the main thread of one owner process."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from app.db.embedded.account import Account, account_for
from app.db.embedded.binaries import Binaries, find_binaries, within_reach
from app.db.embedded.cluster import Cluster
from app.db.embedded.errors import OutOfReach, StartFailed
from app.db.embedded.launch import launch
from app.db.embedded.lock import DirectoryLock
from app.db.embedded.orphans import clear_orphans

PAUSES_SECONDS = (0.5, 2.0)  # between three attempts to start
START_SECONDS = 600.0  # replaying a long log after a crash takes its time, and killing it would only begin again
POLL_SECONDS = 0.01
STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))  # fast, immediate, gone; seconds each


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
        self._account: Account
        self._binaries: Binaries
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """postgresql://… for asyncpg and, with another scheme, SQLAlchemy. Any process of this user may ask."""
        return self.cluster.url

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Return when it takes connections. Raises EmbeddedPostgresError, each kind with its remedy in the message."""
        self._account = account_for(self.cluster.data)
        _make_directory(self.cluster.directory, self._account)
        self._lock.acquire()
        try:
            found = find_binaries(self._bindir, data_major=self.cluster.major)
            self._binaries = within_reach(found, self._account)
            clear_orphans(self.cluster.data)
            self.cluster.prepare(self._account, self._binaries, self._settings)
            self._start_patiently()
        except BaseException:
            self.stop()
            raise

    def supervise(self) -> bool:
        """Restart it if it has died; True if so. Raises StartFailed when three attempts in a row have failed."""
        if self._process is None or self._process.poll() is None:
            return False
        clear_orphans(self.cluster.data)
        self._start_patiently()
        return True

    def stop(self) -> None:
        """Shut down cleanly: sessions are ended, what was committed is on disk. Harmless when it does not run."""
        if self._process is not None:
            _stop(self._process)
            self._process = None
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_patiently(self) -> None:
        for pause in PAUSES_SECONDS:
            if self._start_once():
                return
            time.sleep(pause)
        if not self._start_once():
            raise StartFailed(f"PostgreSQL does not start; {self.cluster.log} ends with:\n{_tail(self.cluster.log)}")

    def _start_once(self) -> bool:
        data, configuration = str(self.cluster.data), f"config_file={self.cluster.configuration}"
        command = [str(self._binaries.postgres), "-D", data, "-c", configuration]
        with open(os.open(self.cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            self._process = launch(command, uid=self._account.uid, gid=self._account.gid, output=log)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            if self._is_ready(self._process.pid):
                return True
            time.sleep(POLL_SECONDS)
        _stop(self._process)
        return False

    def _is_ready(self, pid: int) -> bool:
        """As pg_ctl does: the first line of postmaster.pid is the server's pid, the eighth its state."""
        try:
            lines = (self.cluster.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def default_directory() -> Path:
    """Root's data lies where another user can get at it; everybody else's with their other data."""
    if os.geteuid() == 0:
        return Path("/var/lib/zeroten")
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "zeroten"


def _make_directory(directory: Path, account: Account) -> None:
    """Only what we make ourselves gets a mode from us. The server's user passes through, but owns only its parts."""
    mode = 0o711 if account.is_other else 0o700
    if not directory.exists():
        directory.mkdir(parents=True)
        directory.chmod(mode)
    elif not any(directory.iterdir()):
        directory.chmod(mode)  # empty and meant for us
    if account.is_other and not account.can_enter(directory):
        raise OutOfReach(
            f"PostgreSQL does not run as root, and the user it runs as (uid {account.uid}) cannot enter {directory}. "
            f"Choose a directory outside your home with ZEROTEN_DATA_DIRECTORY, for instance /var/lib/zeroten."
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how, seconds in STOP:
        if process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
