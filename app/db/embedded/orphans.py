"""What a killed owner left running."""

import os
import signal
import time
from pathlib import Path

STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
POLL_SECONDS = 0.01


def clear_orphans(data: Path) -> None:
    """Stop a server whose owner is dead. The caller holds the lock, so no owner lives."""
    pid = _postmaster(data)
    if pid is None:
        return
    for how, seconds in STOP:
        os.kill(pid, how)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if _postmaster(data) != pid:
                return
            time.sleep(POLL_SECONDS)


def _postmaster(data: Path) -> int | None:
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return None
    return pid if os.fsencode(data) in command else None
