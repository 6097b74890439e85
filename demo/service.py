"""The service, started as anybody would: `zeroten up --dev`, in a directory that is gone afterwards."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from app.lifeline import PARENT

USUAL_PORT = 8010
STARTS_SECONDS, STOPS_SECONDS = 120.0, 60.0
POLL_SECONDS = 0.05
KEY = re.compile(r"(secret|publishable) +(live|test) +(zt_\S+)")


class ServiceFailed(Exception):
    """It ended, or never became ready; the message ends with what it said."""


class Service:
    def __init__(self, directory: Path) -> None:
        self.directory, self.log = directory / "data", directory / "zeroten.log"
        self._printed = directory / "printed"
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.settings = {"ZEROTEN_DATA_DIRECTORY": str(self.directory), "ZEROTEN_PORT": str(port)}
        with self.log.open("wb") as log, self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "up", "--dev"],
                env={**self._environment(), PARENT: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours; we stop it in our own time
            )

    def until_ready(self) -> None:
        """Raises ServiceFailed."""
        deadline = time.monotonic() + STARTS_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServiceFailed(self.log.read_text(errors="replace")[-3000:])
            time.sleep(POLL_SECONDS)

    @property
    def keys(self) -> dict[tuple[str, str], str]:
        """Those printed at the first start, by kind and mode."""
        found = KEY.findall(self._printed.read_text(encoding="utf-8"))
        return {(kind, mode): token for kind, mode, token in found}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another verb of the same installation."""
        command = [sys.executable, "-m", "app.cli", *words]
        return subprocess.run(command, env=self._environment(), capture_output=True, encoding="utf-8", check=False)

    def until_ended(self) -> int:
        return self._process.wait()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPS_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _environment(self) -> dict[str, str]:
        """Ours, but for settings that were meant for another installation."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("ZEROTEN_")}
        return {**ours, "PYTHONIOENCODING": "utf-8", **self.settings}


@contextmanager
def started() -> Iterator[Service]:
    """Not ready yet; stopped, and its directory removed, at the end."""
    with tempfile.TemporaryDirectory(prefix="zeroten-demo-") as directory:
        Path(directory).chmod(0o711)  # as root, PostgreSQL runs as somebody else and has to get in
        service = Service(Path(directory))
        try:
            yield service
        finally:
            service.stop()


def _free_port() -> int:
    for wanted in (USUAL_PORT, 0):
        try:
            with socket.create_server(("127.0.0.1", wanted)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise ServiceFailed("There is no free port on 127.0.0.1.")
