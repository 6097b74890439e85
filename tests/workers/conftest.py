from collections.abc import AsyncIterator

import pytest

from app.db.engine import Engine
from tests.conftest import a_tenant, running_app
from tests.workers.scene import Scene, a_scene


@pytest.fixture
async def scene(own_database_url: str, own_engine: Engine) -> AsyncIterator[Scene]:
    async with (
        running_app(own_database_url, receivers_allow_loopback=True) as app,
        a_tenant(app, own_engine, "Alice") as tenant,
        a_scene(app, own_engine, tenant, own_database_url) as scene,
    ):
        yield scene
