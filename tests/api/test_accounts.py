from typing import Any

from tests.conftest import Tenant

ACME = {
    "external_id": "acme", "name": "Acme", "owner": "Grace", "revenue": 1200.5, "tier": "gold",
    "renews_on": "2027-03-31", "properties": {"region": "EU"},
}  # fmt: skip


async def an_account(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    return (await tenant.api.post("/v1/accounts", json={**ACME, **fields})).json()


async def test_a_stranger_sees_no_account(alice: Tenant, charlie: Tenant) -> None:
    acme = await an_account(alice)
    assert (await charlie.api.get(f"/v1/accounts/{acme['id']}")).status_code == 404
    assert (await charlie.api.patch(f"/v1/accounts/{acme['id']}", json={"name": "Mine"})).status_code == 404
    assert (await charlie.api.get("/v1/accounts/external_id:acme")).status_code == 404
    assert (await charlie.api.get("/v1/accounts")).json()["data"] == []


async def test_an_account_is_kept_as_it_was_said(alice: Tenant) -> None:
    reply = await alice.api.post("/v1/accounts", json=ACME)
    assert reply.status_code == 201
    assert {name: reply.json()[name] for name in ACME} == ACME
    assert (await alice.api.get("/v1/accounts/external_id:acme")).json() == reply.json()


async def test_an_account_is_updated_in_parts(alice: Tenant) -> None:
    acme = await an_account(alice)
    again = await alice.api.post("/v1/accounts", json={"external_id": "acme", "tier": "silver"})
    assert (again.status_code, again.json()["id"], again.json()["name"]) == (200, acme["id"], "Acme")
    changed = (await alice.api.patch("/v1/accounts/external_id:acme", json={"owner": None, "revenue": 7})).json()
    assert (changed["owner"], changed["revenue"], changed["tier"], changed["revision"]) == (None, 7, "silver", 3)
    same = (await alice.api.patch("/v1/accounts/external_id:acme", json={"revenue": 7.0})).json()
    assert same["revision"] == 3


async def test_accounts_are_filtered(alice: Tenant) -> None:
    await an_account(alice)
    await an_account(alice, external_id="beta", name="Beta", tier="silver", owner=None)
    for filters, expected in [({"tier": "gold"}, ["acme"]), ({"owner": "Grace"}, ["acme"]), ({"q": "BE"}, ["beta"])]:
        reply = await alice.api.get("/v1/accounts", params=filters)
        assert [account["external_id"] for account in reply.json()["data"]] == expected


async def test_what_cannot_be_is_refused(alice: Tenant) -> None:
    refused: list[tuple[str, object]] = [
        ("revenue", "NaN"), ("revenue", 1.005), ("revenue", 1e17), ("revenue", True), ("revenue", [1]),
        ("renews_on", "2027-02-30"), ("renews_on", 20270331), ("renews_on", "1066-10-14"), ("name", ""),
        ("properties", {"a": []}), ("external_id", None), ("size", 3),
    ]  # fmt: skip
    for field, value in refused:
        reply = await alice.api.post("/v1/accounts", json={**ACME, field: value})
        assert reply.status_code == 422, (field, value, reply.text)
        assert reply.json()["errors"][0]["pointer"].startswith(f"/{field}")
