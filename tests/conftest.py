"""A real PostgreSQL for everybody: one server for each test process, one migrated template, copies where needed."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
import structlog
from fastapi import FastAPI

from app.config import Settings
from app.db.embedded import EmbeddedPostgres
from app.db.engine import Engine
from app.db.migrations import migrate
from app.domain.keys import KeyKind
from app.main import create_app
from app.operations.api_keys import issue_key
from app.operations.workspaces import create_workspace
from tests.contract import check_reply

# Tests survive no power cut, so PostgreSQL need not either; everything else is as in production.
TEST_SETTINGS = {
    "fsync": "off", "full_page_writes": "off", "max_connections": "200", "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}  # fmt: skip
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 10**9  # each of its directories has a name of its own
# Tracebacks as in production: with local variables they take seconds to print.
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
SECRET_KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # 32 bytes, for tests only


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long first: begun last, one of them would keep a single processor busy when all else is done."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


def quick_place() -> Path | None:
    """Where a database is copied in a thirtieth of the time that it takes on a disk; None: the usual place will do."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if has_room else None


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Of a server whose databases the tests may create and drop."""
    given = os.environ.get("ZEROTEN_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="zeroten-test-", dir=quick_place()) as directory:
        Path(directory).chmod(0o711)  # as root, PostgreSQL runs as somebody else and has to get in
        with EmbeddedPostgres(directory=Path(directory) / "data", settings=TEST_SETTINGS) as server:
            yield server.url


@pytest.fixture(scope="session")
async def template(server_url: str) -> AsyncIterator[str]:
    """The name of a migrated database that is only ever copied."""
    async with _database(server_url, f"template_{uuid.uuid4().hex[:8]}") as url:
        engine = Engine(url)
        await migrate(engine)
        await engine.close()
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
async def database_url(server_url: str, template: str) -> AsyncIterator[str]:
    """Shared by all tests of this process; each works in a workspace of its own."""
    async with _database(server_url, f"shared_{uuid.uuid4().hex[:8]}", template=template) as url:
        yield url


@pytest.fixture
async def own_database_url(server_url: str, template: str) -> AsyncIterator[str]:
    """For tests that look at whole tables, such as a worker's queue."""
    async with _database(server_url, f"own_{uuid.uuid4().hex[:8]}", template=template) as url:
        yield url


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[Engine]:
    engine = Engine(database_url, pool_size=8)
    yield engine
    await engine.close()


@pytest.fixture
async def own_engine(own_database_url: str) -> AsyncIterator[Engine]:
    engine = Engine(own_database_url, pool_size=8)
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    async with running_app(database_url) as app:
        yield app


UNLIMITED = {"public_rate_limit_per_second": 0, "link_rate_limit_per_second": 0}  # tests ask more often than people


@asynccontextmanager
async def running_app(database_url: str, **overrides: object) -> AsyncIterator[FastAPI]:
    settings = Settings(database_url=database_url, secret_keys=SECRET_KEYS, pool_size=8, **{**UNLIMITED, **overrides})
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@dataclass(frozen=True)
class Tenant:
    """A live workspace with its keys and a client that uses the secret one."""

    workspace_id: uuid.UUID
    test_workspace_id: uuid.UUID
    secret_key: str
    publishable_key: str
    api: httpx.AsyncClient


@pytest.fixture
async def alice(app: FastAPI, engine: Engine) -> AsyncIterator[Tenant]:
    async with a_tenant(app, engine, "Alice") as tenant:
        yield tenant


@pytest.fixture
async def charlie(app: FastAPI, engine: Engine) -> AsyncIterator[Tenant]:
    """A stranger: another workspace."""
    async with a_tenant(app, engine, "Charlie") as tenant:
        yield tenant


@asynccontextmanager
async def a_tenant(app: FastAPI, engine: Engine, name: str) -> AsyncIterator[Tenant]:
    now = datetime.now(UTC)
    async with engine.write() as tx:
        made = await create_workspace(tx, name, time_zone="Europe/Berlin", now=now)
        secret = await issue_key(tx, made.live_id, mode="live", kind=KeyKind.SECRET, name="tests", now=now)
        public = await issue_key(
            tx, made.live_id, mode="live", kind=KeyKind.PUBLISHABLE, name="widget",
            allowed_origins=("https://shop.example",), now=now,
        )  # fmt: skip
    async with client(app, secret.token) as api:
        yield Tenant(made.live_id, made.test_id, secret.token, public.token, api)


def client(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    """Fails a test that gets a reply which openapi.yaml does not describe."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    hooks = {"response": [check_reply]}
    return httpx.AsyncClient(transport=transport, base_url="http://zeroten.test", headers=headers, event_hooks=hooks)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def _database(server_url: str, name: str, *, template: str = "template0") -> AsyncIterator[str]:
    connection = await asyncpg.connect(server_url)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        await asyncio.shield(connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))
        await connection.close()
