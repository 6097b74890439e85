"""Name look-ups on threads of their own.

The loop's own look-ups share four to six threads. A customer whose name servers are silent holds one for up to half a
minute each time, so a handful of such names would stop look-ups, and with them deliveries, for everybody.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

LOOKUP_THREADS = 64  # started only when all others wait

Lookup = Callable[..., Sequence[tuple[int, int, int, str, tuple[Any, ...]]]]


class PatientResolver(AbstractResolver):
    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        look_up = partial(self._lookup, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [_resolved(host, entry) for entry in found]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolved(host: str, entry: tuple[int, int, int, str, tuple[Any, ...]]) -> ResolveResult:
    family, _, protocol, _, (address, port, *_) = entry
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=protocol, flags=numeric)
