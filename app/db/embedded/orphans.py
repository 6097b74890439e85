"""What a killed owner, or a killed server, leaves behind. Looks into /proc; elsewhere than on Linux it finds nothing,
and PostgreSQL itself refuses to start beside another."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.waiting import end, wait_until

STRAGGLERS_SECONDS = 10.0


def clear_orphans(data: Path, sockets: Path, account: Account) -> None:
    """Stop whatever still serves `data`, and drop its locks. The caller holds the lock, so that no owner lives."""
    if (server := _server(data)) is not None:
        end(partial(os.kill, server), has_ended=lambda: _server(data) != server)
    # Busy in a long query, a session does not notice that its server is dead, and keeps the next from starting.
    with account.eyes():
        stragglers = list(_processes_in(data))
    for pid in stragglers:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if wait_until(lambda: not _is_attached(data), seconds=STRAGGLERS_SECONDS):
        for lock in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)


def _server(data: Path) -> int | None:
    """The pid in postmaster.pid, if that process is a server of this directory: the number may have a new bearer."""
    try:
        pid = int(_postmaster_file(data)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")  # empty for a zombie
    except (OSError, IndexError, ValueError):
        return None
    return pid if os.fsencode(data) in command else None


def _postmaster_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _processes_in(data: Path) -> Iterator[int]:
    """Every process of PostgreSQL works in the data directory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (process / "cwd").readlink() == data and (process / "comm").read_text() == "postgres\n"
        except OSError:  # gone meanwhile, or hidden from us
            continue
        if is_ours:
            yield int(process.name)


def _is_attached(data: Path) -> bool:
    """Whether any process holds the shared memory whose id is the last word of postmaster.pid's seventh line.

    PostgreSQL judges by the same, but before that it believes in the server as long as *any* process has its pid:
    a zombie that nobody reaps, or, after a reboot of a container, somebody quite different.
    """
    lines = _postmaster_file(data)
    if len(lines) < 7:
        return False
    shared_memory_id = lines[6].split()[-1]
    segments = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return any(fields[1] == shared_memory_id and fields[6] != "0" for fields in map(str.split, segments))
