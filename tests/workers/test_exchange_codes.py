"""From a consent to an endpoint that tells of answers: the API, a worker, and a service on loopback."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import client
from tests.outbound.connectors.service import Asked, Said, at
from tests.outbound.connectors.test_crm import FakeHubSpot
from tests.workers.scene import Scene, until

PLACE = "/v1/authorizations"


class HubSpotWithApps(FakeHubSpot):
    """An app's tokens as well as private ones; the fake knows the access token as `secret`."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanged: list[dict[str, Any]] = []

    def reply(self, asked: Asked) -> Said:
        if asked.path != "/oauth/2026-03/token":
            return super().reply(asked)
        self.exchanged.append(dict(asked.form))
        return Said.of(200, {"access_token": "secret", "refresh_token": "refresh1", "expires_in": 1800})


async def ask(scene: Scene, service: HubSpotWithApps) -> dict[str, Any]:
    settings = {"client_id": "app1", "client_secret": "verysecret", "base_url": service.url}
    return await scene.post(PLACE, kind="hubspot", settings=settings)


async def consent(scene: Scene, asked: dict[str, Any]) -> None:
    state = parse_qs(urlsplit(asked["consent_url"]).query)["state"][0]
    async with client(scene.app) as browser:
        assert (await browser.get("/oauth/callback", params={"state": state, "code": "code1"})).status_code == 200


async def ended(scene: Scene, asked: dict[str, Any]) -> dict[str, Any]:
    async def is_over() -> bool:
        return await scene.database.fetchval("SELECT count(*) = 1 FROM authorizations WHERE due_at IS NULL")

    await until(is_over)
    return await scene.get(f"{PLACE}/{asked['id']}")


async def test_a_consent_becomes_an_endpoint_that_is_let_in(scene: Scene) -> None:
    async with at(HubSpotWithApps()) as service:
        assert isinstance(service, HubSpotWithApps)
        asked = await ask(scene, service)
        scene.work()
        await consent(scene, asked)
        assert (await ended(scene, asked))["state"] == "granted"
        endpoint = await scene.post("/v1/webhook-endpoints", kind="hubspot", authorization_id=asked["id"])
        (check,) = await scene.settled(endpoint)
    assert (check["state"], check["event_type"]) == ("delivered", "endpoint.test")
    assert [one["grant_type"] for one in service.exchanged] == ["authorization_code", "refresh_token"]
    assert service.exchanged[0]["redirect_uri"] == asked["redirect_url"]
    assert service.exchanged[1]["refresh_token"] == "refresh1"


async def test_what_passes_is_tried_again_while_the_code_is_good(scene: Scene) -> None:
    async with at(HubSpotWithApps()) as service:
        assert isinstance(service, HubSpotWithApps)
        service.troubles = [Said(503)]
        asked = await ask(scene, service)
        worker = scene.work()
        await consent(scene, asked)
        await until(lambda: scene.database.fetchval("SELECT due_at > now() AND claim_id IS NULL FROM authorizations"))
        assert (await scene.get(f"{PLACE}/{asked['id']}"))["state"] == "exchanging"
        await scene.database.execute("UPDATE authorizations SET due_at = now()")
        assert (await ended(scene, asked))["state"] == "granted"
        await worker.stop()


@pytest.mark.parametrize(
    ("said", "is_over", "failure", "reply"),
    [
        (Said.of(400, {"status": "BAD_CLIENT_SECRET", "message": "no"}), False, "wrong_app", "BAD_CLIENT_SECRET"),
        (Said.of(200, {"access_token": "verysecret"}), False, "no_refresh_token", None),
        (Said.of(400, {"status": "BAD_CLIENT_SECRET", "message": "not verysecret"}), False, "wrong_app", None),
        (Said(503, b"busy"), True, "unreachable", "busy"),
    ],
)
async def test_why_nobody_was_let_in_can_be_read(
    scene: Scene, said: Said, is_over: bool, failure: str, reply: str | None
) -> None:
    async with at(HubSpotWithApps()) as service:
        service.troubles = [said]
        asked = await ask(scene, service)  # type: ignore[arg-type]  # at() says Service
        await consent(scene, asked)
        if is_over:
            await scene.database.execute("UPDATE authorizations SET expires_at = now()")
        scene.work()
        shown = await ended(scene, asked)
    assert (shown["state"], shown["failure"]) == ("failed", failure)
    assert (reply or "") in str(shown["last_reply"])
    assert "verysecret" not in str(shown)
    assert await scene.database.fetchval("SELECT sealed IS NULL FROM authorizations")
