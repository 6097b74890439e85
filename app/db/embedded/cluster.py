"""The directory: what lies where, and how it comes to be. Nothing in here keeps running.

lock              who serves this directory
password          of the roles `zeroten` and `postgres`, 0600
postgresql.conf   ours, as pg_hba.conf
postgres.log      what the server says
run/              its socket
postgres/         its data; appears complete or not at all
"""

import hashlib
import os
import re
import secrets
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.db.embedded.account import Account
from app.db.embedded.binaries import Binaries
from app.db.embedded.configuration import HBA, configuration
from app.db.embedded.errors import NotSetUp, OutOfReach, StartFailed
from app.db.embedded.launch import launch

ROLE = "zeroten"
SUPERUSER = "postgres"
PORT = 5432  # only the name of the socket file
LONGEST_SOCKET_PATH = 107  # bytes; sun_path of unix(7) less its final NUL


@dataclass(frozen=True)
class Cluster:
    directory: Path

    @property
    def data(self) -> Path:
        return self.directory / "postgres"

    @property
    def configuration(self) -> Path:
        return self.directory / "postgresql.conf"

    @property
    def sockets(self) -> Path:
        """`run/`, or a short name in /tmp where the kernel or a driver would not take that one."""
        usual = self.directory / "run"
        is_short = len(os.fsencode(usual / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH
        if is_short and re.fullmatch(r"[\w/. -]+", str(usual)):  # drivers split at a comma, and guess at a colon
            return usual
        return Path("/tmp") / f"zeroten-{hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:20]}"  # noqa: S108 - own_directory looks whose it is

    @property
    def major(self) -> int | None:
        """The PostgreSQL that wrote the data; None while there is none."""
        try:
            return int((self.data / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
        except FileNotFoundError:
            return None

    @property
    def password_file(self) -> Path:
        return self.directory / "password"

    @property
    def url(self) -> str:
        """Raises NotSetUp before the first start."""
        try:
            password = self.password_file.read_text(encoding="ascii")
        except FileNotFoundError:
            raise NotSetUp(f"There is no database in {self.directory} yet; `zeroten up` makes it.") from None
        host = quote(os.fspath(self.sockets), safe="/")
        return f"postgresql://{ROLE}:{password}@/{ROLE}?host={host}&port={PORT}"

    def server_command(self, binaries: Binaries) -> list[str]:
        return [str(binaries.postgres), "-D", str(self.data), "-c", f"config_file={self.configuration}"]

    def is_ready(self, pid: int) -> bool:
        """As pg_ctl does: the first line of postmaster.pid is the server's pid, the eighth its state."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def prepare(self, account: Account, binaries: Binaries, settings: Mapping[str, str]) -> None:
        """Bring everything to where the server can start. The caller holds the lock, and no server runs."""
        self._sweep()
        if self.major is None:
            self._create(account, binaries, sync=settings.get("fsync") != "off")
        elif not self.password_file.exists():
            self._replace_password(account, binaries)
        own_directory(self.sockets, account)
        hba = self.directory / "pg_hba.conf"
        _write(hba, HBA, mode=0o644)
        _write(self.configuration, configuration(sockets=self.sockets, hba=hba, settings=settings), mode=0o644)

    def _create(self, account: Account, binaries: Binaries, *, sync: bool) -> None:
        """initdb under another name, then one rename: whoever is killed meanwhile leaves no half of a cluster."""
        unfinished = self.directory / f"unfinished-{secrets.token_hex(4)}"
        unfinished.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        _write(self.password_file, password, mode=0o600)
        _write(unfinished / "password", password, mode=0o600)
        account.takes(unfinished / "password")
        account.takes(unfinished)
        _run(_initdb(binaries, unfinished, sync=sync), account)
        _run(_single_user(binaries, unfinished / "postgres"), account, statements=_role_and_database(password))
        (unfinished / "postgres").rename(self.data)
        _sync(self.directory)
        self._sweep()

    def _sweep(self) -> None:
        """What killed starts have left. Errors do not matter: a dying initdb may be tidying up at the same time."""
        for unfinished in self.directory.glob("unfinished-*"):
            shutil.rmtree(unfinished, ignore_errors=True)

    def _replace_password(self, account: Account, binaries: Binaries) -> None:
        """The data came without it, from a backup perhaps."""
        password = secrets.token_urlsafe(24)
        new = [f"ALTER ROLE {role} PASSWORD '{password}'" for role in (ROLE, SUPERUSER)]
        _run(_single_user(binaries, self.data), account, statements=new)
        _write(self.password_file, password, mode=0o600)


def _initdb(binaries: Binaries, unfinished: Path, *, sync: bool) -> list[str]:
    # The builtin provider sorts alike for ever, where libc's order may change under the indexes with the system.
    provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
    return [
        str(binaries.initdb),
        f"--pgdata={unfinished / 'postgres'}",
        f"--pwfile={unfinished / 'password'}",
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        *provider,
        "--no-instructions",
        *([] if sync else ["--no-sync"]),
    ]


def _single_user(binaries: Binaries, data: Path) -> list[str]:
    settings = ("log_min_messages=error", "exit_on_error=on")
    return [str(binaries.postgres), "--single", "-D", str(data), *(f"-c{line}" for line in settings), "template1"]


def _role_and_database(password: str) -> Sequence[str]:
    """The role is no superuser, so that no statement of ours reaches the server's files."""
    return (
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
        f"GRANT pg_monitor, pg_checkpoint, pg_signal_backend TO {ROLE}",
        f"CREATE DATABASE {ROLE} OWNER {ROLE}",
    )


def _run(command: list[str], account: Account, *, statements: Sequence[str] = ()) -> None:
    stdin = "".join(f"{statement};\n" for statement in statements).encode()
    pipe = subprocess.PIPE
    with launch(command, uid=account.uid, gid=account.gid, output=pipe, stdin=pipe) as process:
        output, _ = process.communicate(stdin)
    if process.returncode != 0:
        raise StartFailed(f"{Path(command[0]).name} failed:\n{output.decode(errors='replace').strip()}")


def own_directory(path: Path, account: Account) -> None:
    """A directory nobody else can enter. In /tmp somebody may have been there first, so it is looked at."""
    try:
        path.mkdir(mode=0o700)
        account.takes(path)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
            raise OutOfReach(
                f"{path} should be a directory of uid {account.uid} alone, mode 0700; remove it."
            ) from None


def _write(path: Path, text: str, *, mode: int) -> None:
    """All or nothing, never readable to more than `mode` says."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def default_directory() -> Path:
    """Root's data lies where another user can get at it; everybody else's with their other data."""
    if os.geteuid() == 0:
        return Path("/var/lib/zeroten")
    share = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(share) / "zeroten"


def make_directory(directory: Path, account: Account) -> None:
    """Only what we make ourselves gets a mode from us. Another account passes through, but owns only its parts."""
    mode = 0o711 if account.is_other else 0o700
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    if account.is_other:
        if not missing and _is_empty_and_ours(directory):
            directory.chmod(mode)
        _check_entrance(missing[-1].parent if missing else directory, account)
    for path in reversed(missing):
        path.mkdir(exist_ok=True)  # by another start, which the lock will sort out
        path.chmod(mode)


def _is_empty_and_ours(directory: Path) -> bool:
    return directory.stat().st_uid == os.geteuid() and not any(directory.iterdir())


def _check_entrance(directory: Path, account: Account) -> None:
    if not account.can_enter(directory):
        raise OutOfReach(
            f"PostgreSQL does not run as root, and the user it runs as (uid {account.uid}) cannot enter {directory}. "
            "Choose a directory that other users can get to with ZEROTEN_DATA_DIRECTORY, for instance /var/lib/zeroten."
        )
