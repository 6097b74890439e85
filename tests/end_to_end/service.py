"""`zeroten up` as people run it: a process with a directory, which can be asked, told to stop, and killed."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from app.db.embedded.waiting import wait_until
from tests.cli.command import environment

STARTS_SECONDS, STOPS_SECONDS = 60.0, 40.0
KEY = re.compile(r"(secret|publishable) +(live|test) +(zt_\S+)")


class Service:
    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        said = directory.with_name(f"said-{uuid4().hex[:8]}")
        self.out, self.err = said.with_suffix(".out"), said.with_suffix(".err")
        given = {"ZEROTEN_DATA_DIRECTORY": str(directory), "ZEROTEN_PORT": "0", "ZEROTEN_LOG_FORMAT": "json"}
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "app.cli", "up"],
                env=environment(**{**given, **settings}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # a terminal's Ctrl-C goes to a whole group of processes, and not to ours
            )

    def log(self, event: str) -> list[dict[str, Any]]:
        """Every line so far that says `event`."""
        lines = [line for line in self.err.read_text().splitlines() if line.startswith("{")]
        return [event_said for event_said in map(json.loads, lines) if event_said["event"] == event]

    def until_ready(self) -> str:
        """The address."""
        assert wait_until(lambda: self.has_ended or bool(self.log("ready")), seconds=STARTS_SECONDS), self.said
        assert not self.has_ended, self.said
        return str(self.log("ready")[0]["address"])

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOPS_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def said(self) -> str:
        return self.out.read_text() + self.err.read_text()

    @property
    def keys(self) -> dict[tuple[str, str], str]:
        """What was printed, by kind and mode."""
        return {(kind, mode): token for kind, mode, token in KEY.findall(self.out.read_text())}

    def child(self, verb: str) -> int | None:
        """Its pid."""
        for pid in children(self.process.pid):
            if command_line(pid)[-1:] == [verb]:
                return pid
        return None

    def server(self) -> int:
        """The pid of the embedded PostgreSQL."""
        return next(pid for pid in children(self.process.pid) if "postgres" in "".join(command_line(pid)[:1]))

    def everybody(self) -> list[int]:
        """The pids of the service and all that it has started, PostgreSQL's included."""
        found = [self.process.pid]
        for pid in found:
            found.extend(children(pid))
        return found

    def ask(self, path: str, token: str | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.until_ready()}{path}", headers=headers, timeout=STARTS_SECONDS)


@contextmanager
def up(directory: Path, **settings: str) -> Iterator[Service]:
    service = Service(directory, **settings)
    try:
        yield service
    finally:
        service.stop()


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append(int(stat.parent.name))
    return found


def command_line(pid: int) -> list[str]:
    try:
        return [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]]
    except OSError:
        return []
