"""A process of ours, started again when it dies, ever less eagerly."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from time import monotonic

import structlog

from app.db.embedded.waiting import wait_until
from app.lifeline import PARENT

log = structlog.get_logger()

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 30.0
STEADY_SECONDS = 60.0  # who lived that long begins with a short pause again


class Child:
    def __init__(self, verb: str, *, environment: Mapping[str, str], open_files: tuple[int, ...] = ()) -> None:
        """`environment` is added to ours: unlike an argument it is for the child's eyes only."""
        self.verb = verb
        self._environment, self._open_files = environment, open_files
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause_seconds = 0.0

    def keep_running(self) -> None:
        if self._process is None:
            if monotonic() >= self._started_at + self._pause_seconds:
                self._start()
        elif (status := self._process.poll()) is not None:
            self._note_end(status)

    def _start(self) -> None:
        # -P: a folder called `app` where we happen to be started is not ours.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-P", "-m", "app.cli", self.verb],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self._environment, PARENT: str(os.getpid())},
            pass_fds=self._open_files,
            start_new_session=True,  # Ctrl-C is for the parent, which stops everybody in order
        )
        self._started_at = monotonic()

    def _note_end(self, status: int) -> None:
        lived_seconds = monotonic() - self._started_at
        is_steady = lived_seconds >= STEADY_SECONDS
        longer = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        self._pause_seconds = FIRST_PAUSE_SECONDS if is_steady else max(longer, FIRST_PAUSE_SECONDS)
        self._started_at = monotonic()
        self._process = None
        log.error(
            "a process ended; starting it again", child=self.verb, status=status, pause_seconds=self._pause_seconds
        )

    def stop(self, *, seconds: float, is_hurried: Callable[[], bool]) -> None:
        """Ask it to finish what it has begun; after `seconds`, or when hurried, it gets no choice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        wait_until(lambda: process.poll() is not None or is_hurried(), seconds=seconds)
        if process.poll() is None:
            log.warning("a process does not stop; killing it", child=self.verb)
            process.kill()
        process.wait()
