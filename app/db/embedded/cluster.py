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
import secrets
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.db.embedded.account import Account
from app.db.embedded.binaries import Binaries
from app.db.embedded.configuration import HBA, configuration
from app.db.embedded.errors import OutOfReach, StartFailed
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
    def log(self) -> Path:
        return self.directory / "postgres.log"

    @property
    def configuration(self) -> Path:
        return self.directory / "postgresql.conf"

    @property
    def sockets(self) -> Path:
        """`run/`, or a short name for it in /tmp: the kernel does not take long ones."""
        usual = self.directory / "run"
        if len(os.fsencode(usual / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH:
            return usual
        return Path("/tmp") / f"zeroten-{hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:20]}"  # noqa: S108 - see own_directory

    @property
    def major(self) -> int | None:
        """The PostgreSQL that wrote the data; None while there is none."""
        try:
            return int((self.data / "PG_VERSION").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    @property
    def password(self) -> str:
        return (self.directory / "password").read_text(encoding="ascii")

    @property
    def url(self) -> str:
        host = quote(os.fspath(self.sockets), safe="/")
        return f"postgresql://{ROLE}:{self.password}@/{ROLE}?host={host}&port={PORT}"

    def prepare(self, account: Account, binaries: Binaries, settings: Mapping[str, str]) -> None:
        """Bring everything to where the server can start. The caller holds the lock."""
        if self.major is None:
            self._create(account, binaries, sync=settings.get("fsync") != "off")
        own_directory(self.sockets, account)
        hba = self.directory / "pg_hba.conf"
        _write(hba, HBA, mode=0o644)
        _write(self.configuration, configuration(sockets=self.sockets, hba=hba, settings=settings), mode=0o644)

    def _create(self, account: Account, binaries: Binaries, *, sync: bool) -> None:
        """initdb under another name, then one rename: whoever is killed meanwhile leaves no half of a cluster."""
        for abandoned in self.directory.glob("unfinished-*"):
            shutil.rmtree(abandoned)
        unfinished = self.directory / f"unfinished-{secrets.token_hex(4)}"
        unfinished.mkdir(mode=0o700)
        password = secrets.token_urlsafe(24)
        _write(self.directory / "password", password, mode=0o600)
        _write(unfinished / "password", password, mode=0o600)
        account.owns(unfinished / "password")
        account.owns(unfinished)
        _run(_initdb(binaries, unfinished, sync=sync), account)
        _run(_single_user(binaries, unfinished / "postgres"), account, stdin=_create_role_and_database(password))
        (unfinished / "postgres").rename(self.data)
        shutil.rmtree(unfinished)
        _sync(self.directory)


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
    return [str(binaries.postgres), "--single", "-D", str(data), "-c", "log_min_messages=error", "template1"]


def _create_role_and_database(password: str) -> bytes:
    """One statement a line. The role is no superuser, so that no statement of ours reaches the server's files."""
    statements = (
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'",
        f"GRANT pg_monitor, pg_checkpoint, pg_signal_backend TO {ROLE}",
        f"CREATE DATABASE {ROLE} OWNER {ROLE}",
    )
    return "".join(f"{statement};\n" for statement in statements).encode()


def _run(command: list[str], account: Account, *, stdin: bytes | None = None) -> None:
    piped = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
    with launch(command, uid=account.uid, gid=account.gid, output=subprocess.PIPE, stdin=piped) as process:
        output, _ = process.communicate(stdin)
    if process.returncode != 0:
        raise StartFailed(f"{Path(command[0]).name} failed:\n{output.decode(errors='replace').strip()}")


def own_directory(path: Path, account: Account) -> None:
    """A directory nobody else can enter. In /tmp somebody may have been there first, so it is looked at."""
    try:
        path.mkdir(mode=0o700)
        account.owns(path)
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
