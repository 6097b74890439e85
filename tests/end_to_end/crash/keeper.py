"""Keep one of our processes running: `python -m tests.end_to_end.crash.keeper VERB`, with a verb of `zeroten`.

It is forked from a process that has its imports behind it, since those take longer than anything a crash test is
about; for the rest it is the same process. Says "born PID" at every start.
"""

import os
import signal
import sys
import time
from importlib import import_module

from app.cli import main
from app.lifeline import PARENT, end_with_parent

PAUSE_SECONDS = 0.1  # between an end and the next start, as any supervisor makes


class Keeper:
    def __init__(self, verb: str) -> None:
        self.verb, self.child, self.is_told_to_stop = verb, 0, False

    def keep(self) -> int:
        """The last child's exit status."""
        signal.signal(signal.SIGTERM, self._stop)
        while True:
            self.child = self._fork()
            _, status = os.waitpid(self.child, 0)
            self.child = 0
            if self.is_told_to_stop:
                return os.waitstatus_to_exitcode(status)
            print("ended", flush=True)
            time.sleep(PAUSE_SECONDS)

    def _fork(self) -> int:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.environ[PARENT] = str(os.getppid())
            print("born", os.getpid(), flush=True)
            sys.exit(main([self.verb]))
        return child

    def _stop(self, *_: object) -> None:
        self.is_told_to_stop = True
        if self.child:
            os.kill(self.child, signal.SIGTERM)
        else:
            sys.exit()


if __name__ == "__main__":
    end_with_parent()
    import_module(f"app.cli.{sys.argv[1]}")
    sys.exit(Keeper(sys.argv[1]).keep())
