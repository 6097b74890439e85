"""What holds for every page of a link, whatever is on it."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from app.api.pages import PAGES
from app.api.public.survey.shell import CONTENT_SECURITY_POLICY
from tests.conftest import Tenant, a_tenant, running_app
from tests.contract import the_document
from tests.survey_pages.conftest import a_visitor
from tests.survey_pages.links import Asked, a_link
from tests.wire import wire_to

ABROAD = "https://elsewhere.example"


def pages(asked: Asked) -> list[str]:
    unsubscribe = f"/u/{asked.token}"
    return [asked.path, f"{asked.path}?score=9", f"{asked.path}?not-me", unsubscribe, "/s/nothing", f"/u/{'x' * 22}"]


async def test_every_page_is_kept_from_caches_frames_indexes_and_other_sites(
    visitor: httpx.AsyncClient, asked: Asked
) -> None:
    for path in pages(asked):
        headers = (await visitor.get(path, headers={"origin": ABROAD})).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers
        assert not [name for name in headers if name.startswith("access-control-")]
        assert headers["x-request-id"]


def test_the_policy_has_no_hole() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert not re.search(r"https?:|data:|\*", CONTENT_SECURITY_POLICY)


@pytest.mark.parametrize("path", sorted(PAGES.glob("survey/*.html")), ids=lambda path: path.name)
def test_no_template_has_a_style_or_a_script_of_its_own(path: Path) -> None:
    html = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|\|\s*safe|https?://", html)


async def test_the_files_of_a_page_are_kept_for_ever(visitor: httpx.AsyncClient, asked: Asked) -> None:
    html = (await visitor.get(asked.path)).text
    found = re.findall(r'(?:href|src)="(/s/static/[^"]+)"', html)
    assert len(found) == 3
    for path in found:
        reply = await visitor.get(path)
        assert (reply.status_code, reply.headers["x-content-type-options"]) == (200, "nosniff")
        assert "immutable" in reply.headers["cache-control"]
        old = await visitor.get(re.sub(r"static/\w+", "static/000000000000", path))
        assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


async def test_a_style_sheet_takes_nothing_but_a_colour(visitor: httpx.AsyncClient) -> None:
    plain = (await visitor.get("/s/static/x/3b4cca.css")).text
    for nonsense in ("red", "3b4cc", "%7D*%7Bdisplay:none", "url(x)"):
        assert (await visitor.get(f"/s/static/x/{nonsense}.css")).text in {plain, ""}
    assert "[" not in re.sub(r"\[type|\[open", "", plain.partition("@media")[0])


async def test_other_methods_are_told_the_right_ones(visitor: httpx.AsyncClient, asked: Asked) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        reply = await visitor.request(method, asked.path)
        assert reply.status_code == 405
        assert {"GET", "POST"} <= {*reply.headers["allow"].split(", ")}


async def test_a_form_may_be_long_but_not_endless(visitor: httpx.AsyncClient, asked: Asked) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for size, status in ((262_145, 413), (1_000_001, 413)):
        reply = await visitor.post(asked.path, content=b"a" * size, headers=form)
        assert reply.status_code == status
    many = "&".join(f"f{number}=1" for number in range(1_100))
    assert (await visitor.post(asked.path, content=many, headers=form)).status_code == 422
    assert (await visitor.post(asked.path, json={"score": 9})).status_code == 422
    assert await asked.response() is None


async def test_logs_and_metrics_know_the_route_and_never_the_token(visitor: httpx.AsyncClient, asked: Asked) -> None:
    with capture_logs() as lines:
        await visitor.post(asked.path, data={})
        await visitor.get("/u/" + "x" * 22)
        await visitor.post(f"{asked.path}/signs", content=b"a" * 262_145)
    assert [line["route"] for line in lines] == ["/s/{token}", "/u/{token}", "/s/{token}/signs"]
    assert asked.token not in str(lines)
    metrics = (await visitor.get("/metrics")).text
    assert asked.token not in metrics
    assert 'route="/s/{token}"' in metrics


def test_pages_are_no_part_of_the_api() -> None:
    assert [path for path in the_document()["paths"] if path.startswith(("/s/", "/u/"))] == []


async def test_our_own_mistake_is_a_page_without_a_reason(
    app: FastAPI, visitor: httpx.AsyncClient, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(app.state.services.visits, "note", mistaken, raising=False)
    reply = await visitor.get(asked.path, headers={"accept-language": "nl"})
    assert (reply.status_code, "Er ging hier iets mis" in reply.text) == (500, True)
    assert "secret" not in reply.text


async def test_without_its_database_a_page_says_come_back(own_database_url: str) -> None:
    async with wire_to(own_database_url) as wire, running_app(wire.url) as app, a_visitor(app) as visitor:
        async with a_tenant(app, app.state.services.engine, "Alice") as alice:
            asked = await a_link(app, alice)
        await wire.cut()
        for reply in (await visitor.get(asked.path), await visitor.post(asked.path, data={"score": "9"})):
            assert (reply.status_code, reply.headers["retry-after"]) == (503, "2")
            assert "Your answer was not recorded." in reply.text


async def test_an_address_that_is_told_is_not_mirrored_and_no_name_is_markup(app: FastAPI, alice: Tenant) -> None:
    asked = await a_link(app, alice, brand={"name": "A <b> & {who}"}, person={"email": "<x@example.com"})
    async with a_visitor(app) as visitor:
        for path in (f"{asked.path}?lang=ar", f"{asked.path}?lang=ar&not-me", f"/u/{asked.token}?lang=ar"):
            html = (await visitor.get(path)).text
            assert "<bdi>&lt;…@…</bdi>" in html
            assert "<b>" not in html
