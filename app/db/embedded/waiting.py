"""Wait for PostgreSQL to become, or to end, within bounds."""

import signal
import time
from collections.abc import Callable

POLL_SECONDS = 0.01
# PostgreSQL's fast shutdown (sessions are cut, what is committed goes to its files), its immediate one, the kernel's.
# The first may have a long checkpoint to write; the others lose nothing, but leave a log to replay.
WAYS_TO_END = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))  # seconds each


def wait_until(is_true: Callable[[], bool], *, seconds: float) -> bool:
    """False when the time is over first."""
    until = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() >= until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(send: Callable[[int], object], *, has_ended: Callable[[], bool]) -> None:
    """Ask ever less politely."""
    for how, seconds in WAYS_TO_END:
        if has_ended():
            return
        try:
            send(how)
        except ProcessLookupError:
            return
        if wait_until(has_ended, seconds=seconds):
            return
