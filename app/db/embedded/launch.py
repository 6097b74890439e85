"""Start a program as another user, in a session of its own, that ends when we end.

The three steps between fork and exec are Python, and Python between fork and exec can deadlock when another thread
holds a lock (`preexec_fn`). So a fresh interpreter, this file run as a script, takes the steps and then becomes the
program: `python -I -S launch.py PARENT UID GID PROGRAM [ARGUMENT …]`. It starts as the caller, since the new user
may not be able to read our virtual environment.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def launch(
    command: Sequence[str], *, uid: int, gid: int, output: IO[bytes] | int, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start `command`. The kernel sends it SIGINT when the calling *thread* ends, hence main thread only."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start PostgreSQL from the main thread: it would stop when this thread ends")
    steps = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(uid), str(gid)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and binaries we looked up ourselves
        [*steps, *command],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=_environment(),
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the supervisor, which stops us in its own order
    )


def _environment() -> dict[str, str]:
    """No PG… variable of the caller's may point the server, or initdb, somewhere else."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8"}


def _become(parent: int, uid: int, gid: int, command: list[str]) -> None:
    if uid != os.geteuid():
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if sys.platform == "linux":
        # After setuid, which would clear it. SIGINT is a fast shutdown to PostgreSQL and a clean-up to initdb.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit("our parent ended before we began")
    os.execv(command[0], command)  # noqa: S606 - there is no shell, and none is wanted


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
