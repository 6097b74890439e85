"""Load on a port: wrk where there is one, else our own generator. One run of `make bench` uses only one of them."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")
WRK = shutil.which("wrk")
GENERATOR = "wrk" if WRK else "bench/generator.py"


@dataclass(frozen=True, slots=True)
class Load:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int  # refused, broken off, timed out, or a status of 400 and more


async def put_load(requests: Path, *, port: int, connections: int, seconds: float, rate: float | None = None) -> Load:
    """As fast as the replies come, or at `rate` requests a second, which only our own generator can do."""
    arguments = [str(port), str(connections), str(seconds), str(requests)]
    if WRK and rate is None:
        return await _load(*_wrk_command(WRK, *arguments))
    return await _load(sys.executable, "-m", "bench.generator", *arguments, *([str(rate)] if rate else []))


def _wrk_command(wrk: str, port: str, connections: str, seconds: str, requests: str) -> list[str]:
    whole_seconds = str(max(1, round(float(seconds))))
    options = ["-t", "1", "-c", connections, "-d", whole_seconds, "--timeout", "30", "-s", str(SCRIPT)]
    return [wrk, *options, f"http://127.0.0.1:{port}", "--", requests]


async def _load(*command: str) -> Load:
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    output, _ = await process.communicate()
    try:
        return Load(**json.loads(output.decode().strip().rpartition("\n")[2]))
    except ValueError:
        raise RuntimeError(f"{command[0]} failed:\n{output.decode()}") from None
