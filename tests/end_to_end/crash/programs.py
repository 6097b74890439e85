"""Processes that are watched by supervisors of their own, and those supervisors, started again whenever they end.

A supervisor says "born PID" when it has started its process and "ended" when that has ended; what its process says
goes the same way.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from app.lifeline import PARENT

START_SECONDS, STOP_SECONDS = 60.0, 30.0
PAUSE_SECONDS = 0.1
LONGEST_LINE_BYTES = 1 << 20


@dataclass(slots=True)
class Program:
    """`python -m MODULE ARGUMENT…` is its supervisor."""

    name: str
    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    says_up: bytes  # in the line by which it tells that it is up
    pid: int = 0  # of the process, which may be dead already
    is_up: asyncio.Event = field(default_factory=asyncio.Event)
    ups: list[float] = field(default_factory=list)  # when it was up, and up again, on the monotonic clock
    kills: list[float] = field(default_factory=list)
    _supervisor: asyncio.subprocess.Process | None = None
    _keeper: "asyncio.Task[None] | None" = None

    def kill(self, *, how: signal.Signals = signal.SIGKILL, with_children: bool = False) -> None:
        self._note_kill()
        for child in self.children() if with_children else []:
            _send(how, child, parent=self.pid)
        _send(how, self.pid, parent=self._supervisor_pid)

    def kill_child(self, pid: int) -> None:
        """Of a server that does not go on without it."""
        self._note_kill()
        _send(signal.SIGKILL, pid, parent=self.pid)

    def kill_supervisor(self) -> None:
        """Nobody has told it yet that its process ends with it."""
        self._note_kill()
        _send(signal.SIGKILL, self._supervisor_pid, parent=os.getpid())

    def _note_kill(self) -> None:
        self.is_up.clear()
        self.kills.append(monotonic())

    @contextmanager
    def paused(self) -> Iterator[None]:
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def children(self) -> list[int]:
        """The pids of whom the process has started itself."""
        return [int(child) for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def _supervisor_pid(self) -> int:
        assert self._supervisor is not None
        return self._supervisor.pid

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=f"keeper of {self.name}")
        await self.until_up()

    async def stop(self) -> int:
        """Ask it to end, start it no more, and wait; its exit status."""
        assert self._keeper is not None
        assert self._supervisor is not None
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        self.is_up.clear()
        if self._supervisor.returncode is None:
            self._supervisor.terminate()
        try:
            await asyncio.wait_for(self._listen(), STOP_SECONDS)
        except TimeoutError:
            self._supervisor.kill()
            raise
        return await self._supervisor.wait()

    async def _keep(self) -> None:
        while True:
            await self._start_supervisor()
            await self._listen()
            self.is_up.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _start_supervisor(self) -> None:
        self._supervisor = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self.module, *self.arguments,
            env={**os.environ, **self.environment, PARENT: str(os.getpid())},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE_BYTES,
        )  # fmt: skip

    async def _listen(self) -> None:
        """Until it has ended."""
        assert self._supervisor is not None
        assert self._supervisor.stdout is not None
        with self.log.open("ab", buffering=0) as log:
            async for line in self._supervisor.stdout:
                log.write(line)
                self._hear(line)
        await self._supervisor.wait()

    def _hear(self, line: bytes) -> None:
        if line.startswith(b"born "):
            self.pid = int(line.split()[1])
        elif line == b"ended\n":
            self.is_up.clear()
        if self.says_up in line:
            self.ups.append(monotonic())
            self.is_up.set()

    async def until_up(self) -> None:
        try:
            await asyncio.wait_for(self.is_up.wait(), START_SECONDS)
        except TimeoutError:
            raise RuntimeError(f"{self.name} does not come up:\n{self.said()[-4000:]}") from None

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@asynccontextmanager
async def running(*programs: Program) -> AsyncIterator[None]:
    """Up, kept up, and at the end asked to stop."""
    try:
        await asyncio.gather(*(program.start() for program in programs))
        yield
    finally:
        await asyncio.gather(*(program.stop() for program in programs))


def _send(how: signal.Signals, pid: int, *, parent: int) -> None:
    """Only to the process that is meant: numbers of dead ones are given to others."""
    if parent_of(pid) == parent:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


def parent_of(pid: int) -> int | None:
    """None of a process that has ended, whether or not somebody has noticed."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(parent) if state != "Z" else None
