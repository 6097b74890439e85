from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from app.db.engine import Engine
from tests.conftest import a_tenant, running_app
from tests.operations.invitations.office import Office


@pytest.fixture
async def office(own_database_url: str, own_engine: Engine) -> AsyncIterator[Office]:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        yield Office(own_engine, alice, datetime.now(UTC))
