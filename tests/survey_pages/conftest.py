from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from tests.conftest import Tenant
from tests.dashboard.browser import a_browser
from tests.served import served
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


@pytest.fixture(scope="session")
async def site(app: FastAPI) -> AsyncIterator[str]:
    async with served(app) as address:
        yield address


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as browser:
        yield browser
