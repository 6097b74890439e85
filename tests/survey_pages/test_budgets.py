"""What a page may weigh, and how well what is on it can be told from what is behind it."""

import re

import httpx
import pytest
from fastapi import FastAPI

from app.db.tables import campaigns
from app.domain.survey.colour import READABLE, VISIBLE, contrast
from tests.conftest import Tenant
from tests.survey_pages.links import Asked, a_link
from tests.survey_pages.test_further_questions import QUESTIONS

MOST_BYTES = 10_000  # of a first visit, its files included
TEXT_ON = {  # by the names that the style sheet gives them
    "ink": ("page", "card", "cell"), "muted": ("page", "card"), "accent": ("card",), "on-accent": ("accent",),
    "wrong": ("card",),
}  # fmt: skip
SEEN_ON = {"edge": ("card", "page")}


@pytest.fixture
async def long_survey(app: FastAPI, alice: Tenant) -> Asked:
    return await a_link(app, alice, survey={"questions": QUESTIONS})


async def on_the_wire(visitor: httpx.AsyncClient, path: str, **sent: str) -> tuple[int, str]:
    """(bytes with headers, what it says)"""
    way, content = ("POST" if sent else "GET"), sent or None
    reply = await visitor.request(way, path, data=content, headers={"accept-encoding": "gzip"})
    assert reply.status_code == 200
    assert reply.headers["content-encoding"] == "gzip"
    head = sum(len(name) + len(value) + 4 for name, value in reply.headers.raw)
    return head + int(reply.headers["content-length"]), reply.text


async def test_every_page_fits_with_its_files(visitor: httpx.AsyncClient, long_survey: Asked) -> None:
    """The more questions stand on one page, the less else does."""
    await visitor.post(long_survey.path, data={"score": "2", "lang": "en"})
    weights = {}
    for query in ("", "?change&lang=ar", "?more&lang=en", "?thanks&lang=de", "?not-me"):
        page, html = await on_the_wire(visitor, long_survey.path + query)
        files = re.findall(r'(?:href|src)="(/s/static/[^"]+)"', html)
        assert len(files) <= 3
        weights[query] = page + sum([(await on_the_wire(visitor, file))[0] for file in files])
    assert "What was the reason?" in (await visitor.get(f"{long_survey.path}?more&lang=en")).text
    assert max(weights.values()) <= MOST_BYTES, weights


async def test_a_page_that_gives_back_what_was_written_weighs_that_much_more_at_most(
    visitor: httpx.AsyncClient, long_survey: Asked
) -> None:
    await long_survey.change(campaigns, state="archived")
    empty, _ = await on_the_wire(visitor, long_survey.path)
    written = "A sentence is plenty, two are welcome."
    full, html = await on_the_wire(visitor, long_survey.path, score="9", comment=written)
    assert written in html
    assert full - empty <= 200 + len(written)


@pytest.mark.parametrize("accent", ["3b4cca", "ffd400", "000000", "ffffff", "808080", "0078e1", "e01b24"])
async def test_everything_can_be_told_from_what_is_behind_it(visitor: httpx.AsyncClient, accent: str) -> None:
    sheet = (await visitor.get(f"/s/static/x/{accent}.css")).text
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in sheet.split(":root {")[1:3])
    for colours in (light, dark):
        for least, pairs in ((READABLE, TEXT_ON), (VISIBLE, SEEN_ON)):
            for name, backs in pairs.items():
                for back in backs:
                    assert contrast(colours[name], colours[back]) >= least, (name, back)
