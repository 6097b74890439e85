from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI

from app.db.engine import Engine
from tests.conftest import Tenant
from tests.dashboard.reader import Reader, a_reader
from tests.dashboard.scenery import HOSTILE, Scenery, furnish
from tests.served import served


@pytest.fixture(scope="session")
async def site(app: FastAPI) -> AsyncIterator[str]:
    """The address of the service, on a real socket."""
    async with served(app) as address:
        yield address


@pytest.fixture
async def stranger(site: str) -> AsyncIterator[Reader]:
    async with a_reader(site) as reader:
        yield reader


@pytest.fixture
async def lena(site: str, alice: Tenant) -> AsyncIterator[Reader]:
    """She has logged in to Alice's workspace."""
    async with a_reader(site) as reader:
        await reader.log_in(alice.secret_key)
        yield reader


@pytest.fixture
async def scenery(engine: Engine, alice: Tenant) -> Scenery:
    return await furnish(engine, alice, datetime.now(UTC), text=HOSTILE)
