"""The examples of docs/receivers, as processes that listen."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "receivers"
STARTS_SECONDS = 20
LANGUAGES = ("python", "node", "php")


@dataclass(frozen=True)
class Example:
    url: str
    inbox: Path
    process: asyncio.subprocess.Process

    @property
    def kept(self) -> dict[str, Any]:
        """What lies in the inbox, by the id of the webhook."""
        return {file.stem: json.loads(file.read_bytes()) for file in self.inbox.glob("*.json")}

    @property
    def drafts(self) -> list[Path]:
        return [file for file in self.inbox.glob(".*") if file.is_file()]


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@asynccontextmanager
async def an_example(language: str, secret: str, *, port: int, inbox: Path) -> AsyncIterator[Example]:
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "INBOX": str(inbox), "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *_command(language, port), env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _is_listening(process, port)
        yield Example(f"http://127.0.0.1:{port}/webhooks", inbox, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _command(language: str, port: int) -> list[str]:
    if language == "python":
        return [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", str(port), "receiver:app"]
    program = shutil.which(language)
    if program is None:
        without = pytest.fail if "CI" in os.environ else pytest.skip
        without(f"{language} is not installed, so this example was not run")
    if language == "node":
        return [program, str(EXAMPLES / "receiver.js")]
    return [program, "-S", f"127.0.0.1:{port}", str(EXAMPLES / "receiver.php")]


async def _is_listening(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(STARTS_SECONDS):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return
    raise AssertionError("the example did not start")


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}
