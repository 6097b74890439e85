"""A whole installation in a temporary directory: PostgreSQL, API and worker, and a receiver outside of it."""

import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import aiohttp
from sqlalchemy import insert

from app.db.embedded import EmbeddedPostgres
from app.db.engine import Engine
from app.db.migrations import migrate
from app.db.tables import tracked_properties
from app.operations.workspaces import open_workspace
from tests.end_to_end.crash.programs import Program, running

SECRET_KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # 32 bytes, for tests only
LEASE_SECONDS = 2.0
# What a kill should be made good in: a lease of two seconds, and with it shorter attempts and polls.
HASTE = {
    "LEASE_SECONDS": LEASE_SECONDS,
    "LEAST_LEASE_SECONDS": 1.5,
    "ATTEMPT_DEADLINE_SECONDS": 1.4,
    "POLL_SECONDS": 0.2,
}
LATER_SECONDS = 1  # the delay of the endpoint that waits for what is added to an answer


@dataclass(slots=True)
class Stage:
    directory: Path
    port: int
    receiver_port: int
    settings: Mapping[str, str]
    workspace_id: UUID
    secret_key: str
    publishable_key: str
    postgres: Program
    api: Program
    worker: Program
    arrivals: Path
    endpoint_secrets: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        return self.settings["ZEROTEN_DATABASE_URL"]

    def engine(self) -> Engine:
        return Engine(self.database_url, pool_size=2)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A connection for each request: over one that is kept, aiohttp would repeat some requests unseen."""
        async with aiohttp.ClientSession(
            self.url,
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            timeout=aiohttp.ClientTimeout(total=30),
            headers={"authorization": f"Bearer {self.secret_key}"},
        ) as session:
            yield session

    async def add_endpoint(self, name: str, **fields: object) -> None:
        body = {"url": f"http://127.0.0.1:{self.receiver_port}/{name}", **fields}
        async with self.session() as session, session.post("/v1/webhook-endpoints", json=body) as reply:
            assert reply.status == 201, await reply.text()
            self.endpoint_secrets[name] = (await reply.json())["secret"]

    def another_api(self, port: int) -> Program:
        environment = {**self.settings, "ZEROTEN_PORT": str(port)}
        return _verb("api", self.directory, environment, says_up=b"api started")

    def receiver(self, **character: object) -> Program:
        """For the endpoints there are now. `character`: see receiver.py."""
        secrets = [f"{name}={secret}" for name, secret in self.endpoint_secrets.items()]
        arguments = [str(self.receiver_port), str(self.arrivals), json.dumps(character), *secrets]
        return _program("receiver", *arguments, directory=self.directory, says_up=b"receiver up")


@asynccontextmanager
async def set_up(settings: Mapping[str, object] | None = None) -> AsyncIterator[Stage]:
    """Everything runs and is kept running. `settings` are of the API and the worker, without their prefix."""
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(_open_directory())
        postgres = _program("postgres", str(directory / "data"), directory=directory, says_up=b"born ")
        await stack.enter_async_context(running(postgres))
        stage = await _prepare(directory, postgres, settings or {})
        await stack.enter_async_context(running(stage.api, stage.worker))
        yield stage


@contextmanager
def _open_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="zeroten-crash-") as path:
        Path(path).chmod(0o711)  # as root, PostgreSQL runs as somebody else and has to get in
        yield Path(path)


async def _prepare(directory: Path, postgres: Program, settings: Mapping[str, object]) -> Stage:
    engine = Engine(EmbeddedPostgres(directory / "data").url, pool_size=1)
    port = free_port()
    environment = _environment(engine.url, port, settings)
    await migrate(engine)
    async with engine.write() as tx:
        opened = await open_workspace(tx, "Crashing", time_zone="Europe/Berlin", now=datetime.now(UTC))
        await tx.execute(
            insert(tracked_properties).values(
                workspace_id=opened.live_id, key="store", source="response", kind="text", value_limit=5, state="tracked"
            )
        )
    await engine.close()
    secret, publishable = (key.token for key in opened.keys if key.mode == "live")
    return Stage(
        directory=directory,
        port=port,
        receiver_port=free_port(),
        settings=environment,
        workspace_id=opened.live_id,
        secret_key=secret,
        publishable_key=publishable,
        postgres=postgres,
        api=_verb("api", directory, environment, says_up=b"api started"),
        worker=_verb("worker", directory, environment, says_up=b"worker started"),
        arrivals=directory / "arrivals.jsonl",
    )


def _environment(database_url: str, port: int, settings: Mapping[str, object]) -> Mapping[str, str]:
    given = {"DATABASE_URL": database_url, "SECRET_KEYS": SECRET_KEYS, "PORT": port, **settings}
    common = {"RECEIVERS_ALLOW_LOOPBACK": True, "LOG_FORMAT": "json"}
    return {f"ZEROTEN_{name}": str(value) for name, value in (common | given).items()}


def _verb(verb: str, directory: Path, environment: Mapping[str, str], *, says_up: bytes) -> Program:
    return Program(verb, "tests.end_to_end.crash.keeper", [verb], environment, directory / f"{verb}.log", says_up)


def _program(name: str, *arguments: str, directory: Path, says_up: bytes) -> Program:
    return Program(name, f"tests.end_to_end.crash.{name}", arguments, {}, directory / f"{name}.log", says_up)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
