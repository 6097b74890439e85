"""Programs that take part: started, waited for, watched and ended, each by its own pid."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from app.lifeline import PARENT

TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS, STOP_SECONDS = 30.0, 20.0


@dataclass(frozen=True, slots=True)
class Program:
    pid: int
    port: int

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)

    def resident_megabytes(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def peak_megabytes(self) -> float:
        return peak_megabytes(self.pid)

    def children(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@asynccontextmanager
async def running(
    *arguments: str, log: Path, environment: Mapping[str, str] | None = None, says: str | None = None
) -> AsyncIterator[Program]:
    """`python -m ARGUMENT…` on the port in ZEROTEN_PORT. It is up when that answers, or when it has said `says`.

    However we end, it ends too (`end_with_parent`).
    """
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, **(environment or {}), "ZEROTEN_PORT": str(port), PARENT: str(os.getpid())},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        await _until_up(process, log, lambda: says.encode() in log.read_bytes() if says else _answers(port))
        yield Program(process.pid, port)
    finally:
        await asyncio.to_thread(_end, process)


async def _until_up(process: "subprocess.Popen[bytes]", log: Path, is_up: Callable[[], bool]) -> None:
    deadline = monotonic() + START_SECONDS
    while not is_up():
        if process.poll() is not None or monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()[-4000:]}")
        await asyncio.sleep(0.05)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def peak_megabytes(pid: int) -> float:
    """0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1e3


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of the children it has waited for; proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def family_cpu_seconds(pid: int) -> float:
    """The same, and of the children that are still at work: a PostgreSQL and its backends."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_seconds(pid) + sum(_seconds_unless_gone(int(child)) for child in children)


def _seconds_unless_gone(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except FileNotFoundError:
        return 0.0
