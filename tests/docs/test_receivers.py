"""The receivers that the documentation shows, run: they take what our worker sends, and nothing else."""

import asyncio
import hmac
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.webhooks.webhook_secret import SigningKey, new_private_key, new_shared_secret, read_secret
from app.outbound.webhook import headers_for
from tests.builders import a_campaign
from tests.docs.receiving import LANGUAGES, Example, a_free_port, an_example, without
from tests.workers.scene import Scene

SECRET = new_shared_secret(bytes(range(32)))
OURS, STRANGERS = read_secret(SECRET), read_secret(new_shared_secret(bytes(32)))
PRIVATE = read_secret(new_private_key(bytes(range(32))))
ID = "evt_0198c1f2a7b3708c9d4e5f60718293a4"
BODY = '{"type":"response.created","data":{"comment":"Très bien 🎉"}}'.encode()
Running = Callable[[str], Awaitable[Example]]
every_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One of each, started when first wanted; their tests come in any order."""
    async with AsyncExitStack() as stack:
        started: dict[str, Example] = {}

        async def run(language: str) -> Example:
            if language not in started:
                inbox = tmp_path_factory.mktemp(language) / "inbox"
                example = an_example(language, SECRET, port=a_free_port(), inbox=inbox)
                started[language] = await stack.enter_async_context(example)
            return started[language]

        yield run


@pytest.fixture(params=LANGUAGES)
async def example(request: pytest.FixtureRequest, running: Running) -> Example:
    return await running(request.param)


@every_language
async def test_a_delivery_of_the_worker_is_taken(scene: Scene, tmp_path: Path, language: str) -> None:
    port = a_free_port()
    endpoint = await scene.endpoint(f"http://127.0.0.1:{port}/webhooks", event_types=["response.created"])
    async with an_example(language, endpoint["secret"], port=port, inbox=tmp_path / "inbox") as example:
        scene.work(attempt_deadline_seconds=5.0, least_lease_seconds=6.0, lease_seconds=12.0)
        campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
        answer = await scene.answer(campaign, score=3, comment="Très bien 🎉")
        (delivery,) = await scene.settled(endpoint)
        assert [attempt["status"] for attempt in delivery["attempts"]] == [204]
        (event,) = (await scene.get("/v1/events", type="response.created"))["data"]
        assert example.kept == {event["id"]: event}
        assert event["data"]["response"]["id"] == answer["id"]


@every_language
async def test_during_a_rotation_the_old_secret_and_the_new_one_are_good(
    scene: Scene, tmp_path: Path, language: str
) -> None:
    port = a_free_port()
    endpoint = await scene.endpoint(f"http://127.0.0.1:{port}/webhooks", event_types=["response.created"])
    rotation = await scene.tenant.api.post(f"/v1/webhook-endpoints/{endpoint['id']}/secrets/rotate", json={})
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    scene.work(attempt_deadline_seconds=5.0, least_lease_seconds=6.0, lease_seconds=12.0)
    for number, secret in enumerate((endpoint["secret"], rotation.json()["secret"])):
        async with an_example(language, secret, port=port, inbox=tmp_path / str(number)) as example:
            await scene.answer(campaign)
            delivered = await scene.settled(endpoint, count=number + 1)
            assert {delivery["state"] for delivery in delivered} == {"delivered"}
            assert len(example.kept) == 1


async def test_the_same_event_again_is_kept_once(example: Example) -> None:
    statuses = [await post(example, signed(OURS, webhook_id="evt_again")) for _ in range(3)]
    statuses += await asyncio.gather(*(post(example, signed(OURS, webhook_id="evt_at_once")) for _ in range(8)))
    assert set(statuses) == {204}
    assert {"evt_again", "evt_at_once"} <= set(example.kept)
    assert example.drafts == []


def signed(*keys: SigningKey, webhook_id: str = ID, age_seconds: int = 0, body: bytes = BODY) -> dict[str, str]:
    timestamp = int(time.time()) - age_seconds
    return headers_for(webhook_id, timestamp=timestamp, body=body, secrets=keys)


async def post(example: Example, headers: dict[str, str], *, body: bytes = BODY) -> int:
    async with httpx.AsyncClient(timeout=20) as client:
        return (await client.post(example.url, headers=headers, content=body)).status_code


@pytest.mark.parametrize("age_seconds", [0, 280, -280])
@pytest.mark.parametrize("keys", [[OURS], [STRANGERS, OURS], [PRIVATE, OURS]], ids=["alone", "second", "beside_v1a"])
async def test_a_good_signature_is_enough(example: Example, keys: list[SigningKey], age_seconds: int) -> None:
    assert await post(example, signed(*keys, age_seconds=age_seconds)) == 204
    assert ID in example.kept


def forgeries() -> dict[str, dict[str, Any]]:
    return {
        "signed by somebody else": {"headers": signed(STRANGERS)},
        "signed with a kind of key we do not have": {"headers": signed(PRIVATE)},
        "another body": {"headers": signed(OURS), "body": BODY + b" "},
        "another id": {"headers": {**signed(OURS), "webhook-id": "evt_forged"}},
        "another time": {"headers": {**signed(OURS), "webhook-timestamp": str(int(time.time()) + 1)}},
        "a time that is none": {"headers": {**signed(OURS), "webhook-timestamp": "today"}},
        "no signature": {"headers": without(signed(OURS), "webhook-signature")},
        "no id": {"headers": without(signed(OURS), "webhook-id")},
        "no time": {"headers": without(signed(OURS), "webhook-timestamp")},
        "nothing": {"headers": {}},
        "an empty signature": {"headers": {**signed(OURS), "webhook-signature": "v1,"}},
        "no version": {"headers": {**signed(OURS), "webhook-signature": "nonsense"}},
        "the wrong version": {
            "headers": {**signed(OURS), "webhook-signature": signed(OURS)["webhook-signature"].replace("v1,", "v2,")}
        },
    }


@pytest.mark.parametrize("forgery", forgeries())
async def test_a_forgery_is_refused_and_not_kept(example: Example, forgery: str) -> None:
    before = set(example.kept)
    assert await post(example, **forgeries()[forgery]) == 400
    assert set(example.kept) == before


@pytest.mark.parametrize("age_seconds", [320, 86_400, -320])
async def test_an_old_recording_is_refused(example: Example, age_seconds: int) -> None:
    assert await post(example, signed(OURS, webhook_id="evt_old", age_seconds=age_seconds)) == 400
    assert "evt_old" not in example.kept


@every_language
async def test_what_could_not_be_kept_is_not_acknowledged(tmp_path: Path, language: str) -> None:
    """So it comes again."""
    (tmp_path / "inbox").write_text("a file where the folder should be")
    async with an_example(language, SECRET, port=a_free_port(), inbox=tmp_path / "inbox") as example:
        assert await post(example, signed(OURS)) == 500


@pytest.mark.parametrize("language", ["python", "node"])
async def test_without_a_secret_it_does_not_start(tmp_path: Path, language: str) -> None:
    """An empty key is a key that everybody knows."""
    with pytest.raises(AssertionError, match="did not start"):
        async with an_example(language, "", port=a_free_port(), inbox=tmp_path):
            pass


async def test_without_a_secret_php_takes_nothing(tmp_path: Path) -> None:
    content = f"{ID}.{int(time.time())}.".encode() + BODY
    by_nobody = "v1," + b64encode(hmac.digest(b"", content, "sha256")).decode()
    async with an_example("php", "", port=a_free_port(), inbox=tmp_path) as example:
        assert await post(example, {**signed(OURS), "webhook-signature": by_nobody}) == 500
    assert example.kept == {}
