from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import Tenant
from tests.survey_pages.links import BROWSER, Asked, a_link


@pytest.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A person with a browser that runs no script."""
    async with a_visitor(app) as visitor:
        yield visitor


def a_visitor(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    sent = {"user-agent": BROWSER, **headers}
    return httpx.AsyncClient(transport=transport, base_url="http://zeroten.test", headers=sent, follow_redirects=True)


@pytest.fixture
async def asked(app: FastAPI, alice: Tenant) -> Asked:
    return await a_link(app, alice)
