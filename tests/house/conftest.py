from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from app.db.engine import Engine
from tests.conftest import _database, a_tenant, running_app
from tests.house.premises import MARK, House, furnish


@pytest.fixture(scope="session")
async def house(server_url: str, template: str) -> AsyncIterator[House]:
    """In a database of its own: making deliveries empties the queue of all tenants. Not to be changed by tests."""
    async with (
        _database(server_url, f"house_{uuid4().hex[:8]}", template=template) as url,
        running_app(url) as app,
    ):
        engine = Engine(url, pool_size=4)
        async with a_tenant(app, engine, MARK) as alice:
            ids, cursors = await furnish(app, engine, alice)
            yield House(app, engine, alice, ids, cursors)
        await engine.close()


@pytest.fixture(scope="session")
async def sandbox(house: House) -> AsyncIterator[House]:
    """Another such workspace, where tests may break what they like."""
    async with a_tenant(house.app, house.engine, "Bob") as bob:
        ids, cursors = await furnish(house.app, house.engine, bob)
        yield House(house.app, house.engine, bob, ids, cursors)
