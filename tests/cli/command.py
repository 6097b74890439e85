"""The command as people run it: a process of its own, with nothing set that they have not set."""

import os
import subprocess
import sys


def zeroten(*words: str, given: bytes = b"", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run to its end. `settings` are environment variables."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "app.cli", *words],
        input=given.decode(errors="surrogateescape"),
        env=environment(**settings),
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def environment(**settings: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ZEROTEN_")}
    return {**ours, "COLUMNS": "100", "PYTHONWARNINGS": "error", **settings}
