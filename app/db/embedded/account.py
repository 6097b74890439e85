"""Whose process PostgreSQL is. It refuses to run as root, so root needs somebody else."""

import os
import pwd
import shutil
import subprocess
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
            subprocess.run([program, *command[1:], "-s", shell, NAME], capture_output=True, check=False)  # noqa: S603
            if account := _find(NAME):
                return account
    return None
