"""A child of ours ends when its parent does, however that ended: an orphan would keep the port and the data."""

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "ZEROTEN_PARENT_PID"  # in the environment of a child
PR_SET_PDEATHSIG = 1  # linux/prctl.h
WATCH_SECONDS = 1.0


def end_with_parent() -> bool:
    """To be called first. False in a process that was started by hand, for which it does nothing."""
    parent = os.environ.pop(PARENT, None)
    if parent is None:
        return False
    if sys.platform == "linux":
        # The database may stop at the same moment, so there is nothing that a gentler signal would let us finish.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()
    if os.getppid() != int(parent):
        sys.exit("our parent ended before we began")
    return True


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
