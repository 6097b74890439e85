"""Own and supervise a server, as `zeroten up` does: `python -m tests.end_to_end.crash.postgres DIRECTORY`.

Says "born PID" whenever the server takes connections (again).
"""

import signal
import sys
import time
from pathlib import Path

from app.db.embedded import EmbeddedPostgres
from app.lifeline import end_with_parent

SUPERVISION_SECONDS = 0.1  # as in `zeroten up`
# About durability see __init__.py.
SETTINGS = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "64MB"}


def serve(directory: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with EmbeddedPostgres(directory, settings=SETTINGS) as server:
        print("born", server.pid, flush=True)
        while True:
            if server.supervise():
                print("born", server.pid, flush=True)
            time.sleep(SUPERVISION_SECONDS)


if __name__ == "__main__":
    end_with_parent()
    serve(Path(sys.argv[1]))
