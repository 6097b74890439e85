"""The floor: a loop that posts signed bodies and does nothing else. `python -m bench.bare_courier FILE SECONDS`."""

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from bench.tally import Tally

CONNECTIONS = 64


async def post_all(posts: list[Any], seconds: float) -> Tally:
    connector = TCPConnector(limit=CONNECTIONS)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session, asyncio.TaskGroup() as tasks:
        tally, waiting = Tally(seconds), cycle(posts)
        for _ in range(CONNECTIONS):
            tasks.create_task(_post(session, waiting, tally))
    return tally


async def _post(session: ClientSession, waiting: Iterator[Any], tally: Tally) -> None:
    while not tally.is_over:
        url, headers, body = next(waiting)
        async with session.post(url, data=body, headers=headers) as reply:
            await reply.read()
            assert reply.status == 200
        tally.done += 1


if __name__ == "__main__":
    posts = [(url, headers, body.encode()) for url, headers, body in json.loads(Path(sys.argv[1]).read_text())]
    uvloop.run(post_all(posts, float(sys.argv[2]))).tell()
