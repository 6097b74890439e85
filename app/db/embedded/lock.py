"""One owner per directory, as long as it lives."""

import fcntl
import os
from pathlib import Path
from typing import Self

from app.db.embedded.errors import DirectoryInUse


class DirectoryLock:
    """An flock, so that the kernel lets go when we die; the file itself stays and tells the owner's pid."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> Self:
        """Raises DirectoryInUse while another owner lives."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise DirectoryInUse(self._in_use(), pid=self.owner) from None
        os.ftruncate(file, 0)
        os.write(file, b"%d\n" % os.getpid())
        self._file = file
        return self

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def owner(self) -> int | None:
        """Who held the lock last, and perhaps still does."""
        text = self._path.read_text(encoding="ascii").strip()
        return int(text) if text.isdigit() else None

    def _in_use(self) -> str:
        return (
            f"{self._path.parent} is already served by process {self.owner or '(just starting)'}. "
            "Stop that one first, or choose another directory with ZEROTEN_DATA_DIRECTORY."
        )
