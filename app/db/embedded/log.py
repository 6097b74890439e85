"""The file that PostgreSQL writes to."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LONGEST_BYTES = 10_000_000  # of which two files are kept
TAIL_BYTES = 4_000


@dataclass(frozen=True)
class ServerLog:
    path: Path

    def open(self) -> BinaryIO:
        return open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "ab")

    def keep_short(self) -> None:
        """Set the log aside under a running server, which appends and so goes on at the new beginning."""
        if self.path.stat().st_size > LONGEST_BYTES:
            older = self.path.with_name(f"{self.path.name}.1")
            older.unlink(missing_ok=True)
            shutil.copy(self.path, older)
            os.truncate(self.path, 0)

    def tail(self) -> str:
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
