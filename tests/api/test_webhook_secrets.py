from datetime import datetime, timedelta

import pytest

from app.db.engine import Engine
from app.domain.webhooks.webhook_secret import read_secret
from tests.api.test_webhook_endpoints import PLACE, create, read, uuid_of
from tests.builders import rows
from tests.conftest import Tenant


async def test_the_secret_is_shown_once_and_stored_sealed(alice: Tenant, engine: Engine) -> None:
    endpoint = await create(alice)
    read_secret(endpoint["secret"])
    (secret,) = endpoint["secrets"]
    assert secret["hint"] == f"whsec_…{endpoint['secret'].rstrip('=')[-4:]}"
    assert (secret["signing"], secret["public_key"], secret["expires_at"]) == ("shared", None, None)
    for reply in (await alice.api.get(PLACE), await alice.api.get(f"{PLACE}/{endpoint['id']}")):
        assert endpoint["secret"] not in reply.text
    (stored,) = await rows(
        engine, "SELECT ciphertext FROM endpoint_secrets WHERE endpoint_id = :id", id=uuid_of(endpoint)
    )
    assert endpoint["secret"].encode() not in bytes(stored["ciphertext"])


async def test_an_ed25519_endpoint_shows_its_public_key_and_never_the_private_one(alice: Tenant) -> None:
    endpoint = await create(alice, signing="ed25519")
    assert endpoint["secret"] is None
    assert endpoint["secrets"][0]["public_key"].startswith("whpk_")
    assert (await read(alice, endpoint))["secrets"] == endpoint["secrets"]


async def test_rotation_keeps_the_old_secret_for_the_overlap(alice: Tenant, now: datetime) -> None:
    endpoint = await create(alice)
    reply = await alice.api.post(f"{PLACE}/{endpoint['id']}/secrets/rotate", json={})
    assert reply.status_code == 201
    rotated = reply.json()
    assert rotated["secret"] not in {None, endpoint["secret"]}
    newest, old = (await read(alice, endpoint))["secrets"]
    assert {key: value for key, value in rotated.items() if key != "secret"} == newest
    assert old["id"] == endpoint["secrets"][0]["id"]
    assert abs(datetime.fromisoformat(old["expires_at"]) - now - timedelta(hours=24)) < timedelta(minutes=1)
    assert newest["expires_at"] is None


async def test_without_an_overlap_the_old_secret_ends_at_once(alice: Tenant) -> None:
    endpoint = await create(alice)
    rotated = (await alice.api.post(f"{PLACE}/{endpoint['id']}/secrets/rotate", json={"overlap_seconds": 0})).json()
    assert [secret["id"] for secret in (await read(alice, endpoint))["secrets"]] == [rotated["id"]]


async def test_an_overlap_is_never_lengthened(alice: Tenant) -> None:
    endpoint = await create(alice)
    rotate = f"{PLACE}/{endpoint['id']}/secrets/rotate"
    await alice.api.post(rotate, json={"overlap_seconds": 60})
    *_, before = (await read(alice, endpoint))["secrets"]
    await alice.api.post(rotate, json={"overlap_seconds": 604_800})
    *_, after = (await read(alice, endpoint))["secrets"]
    assert before == after


async def test_a_rotation_may_change_the_kind_and_keeps_it_afterwards(alice: Tenant) -> None:
    endpoint = await create(alice)
    rotate = f"{PLACE}/{endpoint['id']}/secrets/rotate"
    changed = (await alice.api.post(rotate, json={"signing": "ed25519"})).json()
    kept = (await alice.api.post(rotate, json={})).json()
    assert [changed["signing"], kept["signing"]] == ["ed25519", "ed25519"]
    assert [changed["secret"], kept["secret"]] == [None, None]
    kinds = [secret["signing"] for secret in (await read(alice, endpoint))["secrets"]]
    assert kinds == ["ed25519", "ed25519", "shared"]


async def test_only_so_many_secrets_sign_at_a_time(alice: Tenant) -> None:
    endpoint = await create(alice)
    replies = [await alice.api.post(f"{PLACE}/{endpoint['id']}/secrets/rotate", json={}) for _ in range(10)]
    assert [reply.status_code for reply in replies] == [201] * 9 + [409]
    assert replies[-1].json()["code"] == "too_many_secrets"
    assert len((await read(alice, endpoint))["secrets"]) == 10


@pytest.mark.parametrize("overlap", [-1, 604_801, 1.5, "60", None])
async def test_overlaps_have_bounds(alice: Tenant, overlap: object) -> None:
    endpoint = await create(alice)
    reply = await alice.api.post(f"{PLACE}/{endpoint['id']}/secrets/rotate", json={"overlap_seconds": overlap})
    assert reply.status_code == 422


async def test_a_repeated_rotation_rotates_once(alice: Tenant) -> None:
    endpoint = await create(alice)
    call = {"url": f"{PLACE}/{endpoint['id']}/secrets/rotate", "json": {}, "headers": {"idempotency-key": "r1"}}
    first, again = [(await alice.api.post(**call)).json() for _ in range(2)]
    assert again == {**first, "secret": None}
    assert len((await read(alice, endpoint))["secrets"]) == 2
