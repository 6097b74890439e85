"""Own a server in a process of its own, so that it can be killed: `python embedded_owner.py DIRECTORY [BINDIR]`.

Says the server's pid, supervises at every line it is sent (and says the pid again), and stops when its input ends.
"""

import sys
from pathlib import Path

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError

directory, *bindir = map(Path, sys.argv[1:])
server = EmbeddedPostgres(directory, bindir=bindir[0] if bindir else None, settings={"fsync": "off"})
try:
    server.start()
except EmbeddedPostgresError as refused:
    sys.exit(f"{type(refused).__name__}: {refused}")
print(server.pid, flush=True)
for _ in sys.stdin:
    server.supervise()
    print(server.pid, flush=True)
server.stop()
