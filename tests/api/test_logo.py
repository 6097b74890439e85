"""The logo of a brand: uploaded, served by ourselves, shown on pages and in mails."""

from typing import Any

import httpx
import pytest

from app.db.engine import Engine
from app.operations.logos import MOST_KEPT
from tests.api.test_campaign_mails import a_campaign, preview
from tests.builders import rows
from tests.conftest import Tenant
from tests.pictures import a_gif, a_jpeg, a_png, a_webp

LOGO = "/v1/workspace/logo"
PNG = {"content-type": "image/png"}


async def upload(tenant: Tenant, raw: bytes, kind: str = "png") -> dict[str, Any]:
    reply = await tenant.api.put(LOGO, content=raw, headers={"content-type": f"image/{kind}"})
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["brand"]["logo"])


def path_of(logo: dict[str, Any]) -> str:
    return httpx.URL(logo["url"]).path


@pytest.mark.parametrize(("kind", "raw"), [("png", a_png()), ("jpeg", a_jpeg()), ("gif", a_gif()), ("webp", a_webp())])
async def test_what_was_uploaded_is_served_to_everybody_and_can_be_kept_for_ever(
    alice: Tenant, kind: str, raw: bytes
) -> None:
    logo = await upload(alice, raw, kind)
    assert (logo["width"], logo["height"]) == (240, 60)
    for method in ("GET", "HEAD"):
        seen = await alice.api.request(method, path_of(logo), headers={"authorization": ""})
        assert seen.status_code == 200
        assert seen.content == (raw if method == "GET" else b"")
        assert seen.headers["content-type"] == f"image/{kind}"
        assert seen.headers["x-content-type-options"] == "nosniff"
        assert seen.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert seen.headers["cross-origin-resource-policy"] == "cross-origin"
        assert "immutable" in seen.headers["cache-control"]


async def test_it_is_part_of_the_brand_and_outlives_other_changes(alice: Tenant, charlie: Tenant) -> None:
    logo = await upload(alice, a_png())
    reply = await alice.api.patch("/v1/workspace", json={"brand": {"accent": "#ffd60a", "name": None}})
    assert reply.json()["brand"]["logo"] == logo
    assert (await alice.api.get("/v1/workspace")).json()["brand"]["logo"] == logo
    assert (await charlie.api.get("/v1/workspace")).json()["brand"]["logo"] is None
    for field in ("logo", "logo_url"):
        reply = await alice.api.patch("/v1/workspace", json={"brand": {field: logo["url"]}})
        assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, f"/brand/{field}")


async def test_another_one_takes_its_place_and_mails_that_are_out_keep_theirs(alice: Tenant, engine: Engine) -> None:
    first = await upload(alice, a_png(100, 50))
    later = [await upload(alice, a_png(101 + at, 50)) for at in range(MOST_KEPT - 1)]
    assert len({logo["url"] for logo in (first, *later)}) == MOST_KEPT
    assert (await alice.api.get("/v1/workspace")).json()["brand"]["logo"] == later[-1]
    assert (await alice.api.get(path_of(first))).status_code == 200
    await upload(alice, a_png(99, 50))
    assert (await alice.api.get(path_of(first))).status_code == 404
    assert (await alice.api.get(path_of(later[0]))).status_code == 200
    assert await upload(alice, a_png(101, 50)) == later[0]  # again
    kept = await rows(engine, "SELECT 1 FROM logos WHERE workspace_id = :id", id=alice.workspace_id)
    assert len(kept) == MOST_KEPT


async def test_taken_off_it_is_nowhere(alice: Tenant, charlie: Tenant) -> None:
    logos = [await upload(alice, a_png(side, side)) for side in (50, 60)]
    hers = await upload(charlie, a_png(50, 50))
    assert (await alice.api.delete(LOGO)).status_code == 204
    assert [(await alice.api.get(path_of(logo))).status_code for logo in (*logos, hers)] == [404, 404, 200]
    assert (await alice.api.get("/v1/workspace")).json()["brand"]["logo"] is None
    again = await alice.api.delete(LOGO)
    assert (again.status_code, again.json()["code"]) == (404, "logo_not_found")


@pytest.mark.parametrize(
    ("raw", "media_type", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415, "unsupported_media_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", 422, "logo_invalid"),
        (a_png() + b"<script>", "image/png", 422, "logo_invalid"),
        (a_png(15, 15), "image/png", 422, "logo_invalid"),
        (b"", "image/png", 422, "body_missing"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100_000, "image/png", 413, "body_too_large"),
    ],
)
async def test_what_is_no_logo_is_refused_and_changes_nothing(
    alice: Tenant, raw: bytes, media_type: str, status: int, code: str
) -> None:
    before = await upload(alice, a_png())
    reply = await alice.api.put(LOGO, content=raw, headers={"content-type": media_type})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert (await alice.api.get("/v1/workspace")).json()["brand"]["logo"] == before


async def test_only_what_is_a_logo_is_found(alice: Tenant, charlie: Tenant) -> None:
    path = path_of(await upload(alice, a_png()))
    place, _, name = path.rpartition("/")
    theirs = f"/s/logos/{charlie.workspace_id.hex}/{name}"
    for wrong in (theirs, f"{place}/x.png", f"{place}/{name}.svg", "/s/logos/x/" + name, f"{place}/{'0' * 32}.png"):
        assert (await alice.api.get(wrong)).status_code == 404, wrong


async def test_a_mail_shows_it_as_large_as_it_fits(alice: Tenant) -> None:
    campaign = await a_campaign(alice)
    assert "<img" not in (await preview(alice, campaign))["html"]
    logo = await upload(alice, a_png(480, 120, see_through=True))
    html = (await preview(alice, campaign))["html"]
    assert f'src="{logo["url"]}" alt="Alice" width="160" height="40"' in html
    assert html.count("<img") == 1
    assert len(html.encode()) < 20_000
