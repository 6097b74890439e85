"""Whose process PostgreSQL is. It refuses to run as root, so root needs somebody else."""

import ctypes
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded.errors import OutOfReach

NAME = "zeroten"


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return self.uid != os.geteuid()

    def takes(self, path: Path) -> None:
        """Hand over a file or directory that we have just made."""
        if self.is_other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_run(self, program: Path, *arguments: str) -> bool:
        """Find out by doing it, which also counts access lists, mounts and missing libraries."""
        try:
            finished = subprocess.run(  # noqa: S603 - a program we looked up ourselves
                [program, *arguments],
                user=self.uid if self.is_other else None,
                group=self.gid if self.is_other else None,
                extra_groups=[] if self.is_other else None,
                capture_output=True,
                cwd="/",
                check=False,
            )
        except OSError:
            return False
        return finished.returncode == 0

    @contextmanager
    def eyes(self) -> Iterator[None]:
        """Look at /proc as this account: without CAP_SYS_PTRACE, as in a container, root sees less of its processes.

        setfsuid(2) changes who this one thread is to the file system, and nothing else.
        """
        if not self.is_other or sys.platform != "linux":
            yield
            return
        libc = ctypes.CDLL(None)
        libc.setfsgid(self.gid)
        libc.setfsuid(self.uid)
        try:
            yield
        finally:
            libc.setfsuid(os.geteuid())
            libc.setfsgid(os.getegid())

    def can_enter(self, directory: Path) -> bool:
        return self.can_run(Path(shutil.which("test") or "/usr/bin/test"), "-x", str(directory))


def account_for(data: Path) -> Account:
    """Ourselves; or, when we are root, whoever owns the data already, else the user `zeroten`, made if need be."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    found = _find(NAME) or _create() or _find("postgres")
    if found is None:
        raise OutOfReach(
            f"PostgreSQL does not run as root, and there is no user '{NAME}' nor a way to add one. "
            f"Add a system user '{NAME}', or start as an ordinary user."
        )
    return found


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def _create() -> Account | None:
    """initdb wants a passwd entry, so a bare number will not do."""
    for command in (
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"],
        ["adduser", "-S", "-D", "-H", "-h", "/nonexistent"],  # BusyBox
    ):
        program = shutil.which(command[0])
        shell = shutil.which("nologin") or "/bin/false"
        if program is not None:
            subprocess.run([program, *command[1:], "-s", shell, NAME], capture_output=True, check=False)  # noqa: S603 - looked up
            if account := _find(NAME):
                return account
    return None
