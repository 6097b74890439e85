"""The command as people run it: a process of its own, with nothing set that they have not set."""

import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from app.cli import main

OTHERS = ("ZEROTEN_", "FORCE_COLOR", "TTY_", "CLICOLOR")  # settings of another installation; wishes for colour


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
    ours = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
    return {**ours, "COLUMNS": "100", "PYTHONWARNINGS": "error", **settings}


def here(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which is quicker; for verbs that end by themselves and leave logging alone."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment(**settings), clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
        ThreadPoolExecutor(1) as thread,  # where no event loop runs yet
    ):
        status = thread.submit(main, words).result()
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())
