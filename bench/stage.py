"""What every row plays on: one PostgreSQL as in production, and databases that all begin alike."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.db.embedded import EmbeddedPostgres
from app.db.engine import Engine
from app.db.migrations import migrate
from bench.processes import Program, family_cpu_seconds, running
from bench.tenant import SECRET_KEYS, Tenant, make_tenant

TEMPLATE = "bench_template"
# Everything else is what `zeroten up` would use; pgbench alone wants 150 connections.
SETTINGS = {"max_connections": "300"}


@dataclass(frozen=True, slots=True)
class Stage:
    server: EmbeddedPostgres
    directory: Path
    tenant: Tenant

    @asynccontextmanager
    async def database(self, name: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
        """The URL of a fresh copy, of what all begin with or of another database that nobody uses at the moment."""
        connection = await asyncpg.connect(self.server.url)
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            yield url_of(self.server, name)
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    def postgres_cpu_seconds(self) -> float:
        assert self.server.pid is not None
        return family_cpu_seconds(self.server.pid)

    def api(self, url: str) -> AbstractAsyncContextManager[Program]:
        """One API process with its default settings, but that webhooks may reach this machine."""
        return running("app.cli", "api", log=self._log("api", url), environment=service_environment(url))

    def worker(self, url: str) -> AbstractAsyncContextManager[Program]:
        log = self._log("worker", url)
        return running("app.cli", "worker", log=log, environment=service_environment(url), says="worker started")

    def beside(self, module: str, url: str = "") -> AbstractAsyncContextManager[Program]:
        """A program of ours that is not the service: a rival, or a receiver."""
        return running(module, log=self._log(module, url), environment=service_environment(url))

    def _log(self, program: str, url: str) -> Path:
        return self.directory / f"{program}-{urlsplit(url).path[1:]}.log"


def service_environment(url: str) -> Mapping[str, str]:
    where = {"ZEROTEN_DATABASE_URL": url} if url else {}
    return {**where, "ZEROTEN_SECRET_KEYS": SECRET_KEYS, "ZEROTEN_RECEIVERS_ALLOW_LOOPBACK": "true"}


@asynccontextmanager
async def set_up() -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="zeroten-bench-") as path:
        directory = Path(path)
        directory.chmod(0o711)  # as root, PostgreSQL runs as somebody else and has to get in
        with EmbeddedPostgres(directory / "postgres", settings=SETTINGS) as server:
            yield Stage(server, directory, await _make_template(server))


async def _make_template(server: EmbeddedPostgres) -> Tenant:
    connection = await asyncpg.connect(server.url)
    await connection.execute(f'CREATE DATABASE "{TEMPLATE}" TEMPLATE template0')
    await _make_logins_cheap(connection, urlsplit(server.url).password or "")
    await connection.close()
    engine = Engine(url_of(server, TEMPLATE), pool_size=1)
    try:
        await migrate(engine)
        return await make_tenant(engine)
    finally:
        await engine.close()


async def _make_logins_cheap(connection: asyncpg.Connection, password: str) -> None:
    """pgbench's clock runs while it logs in, and 150 careful password checks would take most of its time."""
    if connection.get_server_version().major >= 16:
        await connection.execute("SET scram_iterations = 1")
        await connection.execute(f"ALTER ROLE CURRENT_USER PASSWORD '{password}'")


def url_of(server: EmbeddedPostgres, name: str) -> str:
    return urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))
