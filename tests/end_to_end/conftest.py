"""One service for all tests that load or kill it: each leaves it running."""

from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.crash.stage import HASTE, Stage, set_up


@pytest.fixture(scope="session")
async def stage() -> AsyncIterator[Stage]:
    """To callers, all settings are the defaults; only deliveries are in haste."""
    async with set_up(HASTE) as stage:
        yield stage
