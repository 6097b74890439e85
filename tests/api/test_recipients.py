from typing import Any

from sqlalchemy import text

from app.db.engine import Engine
from tests.conftest import Tenant

ADA = {"external_id": "a", "email": "Ada@Example.com", "phone": "+49 30 123456", "name": "Ada", "locale": "pt_br"}


async def a_recipient(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    reply = await tenant.api.post("/v1/recipients", json=fields or ADA)
    assert reply.status_code in {200, 201}, reply.text
    return reply.json()


async def test_a_stranger_finds_nobody(alice: Tenant, charlie: Tenant) -> None:
    ada = await a_recipient(alice)
    at = f"/v1/recipients/{ada['id']}"
    assert (await charlie.api.get(at)).status_code == 404
    assert (await charlie.api.get("/v1/recipients/external_id:a")).status_code == 404
    assert (await charlie.api.patch(at, json={"name": "Mine"})).status_code == 404
    assert (await charlie.api.post(f"{at}/unsubscribe")).status_code == 404
    assert (await charlie.api.get("/v1/recipients")).json()["data"] == []
    assert (await alice.api.get(at)).json() == ada


async def test_a_strangers_account_is_unknown(alice: Tenant, charlie: Tenant) -> None:
    theirs = (await charlie.api.post("/v1/accounts", json={"external_id": "acme"})).json()
    reply = await alice.api.post("/v1/recipients", json={"external_id": "a", "account_id": theirs["id"]})
    assert (reply.status_code, reply.json()["code"]) == (404, "account_not_found")


async def test_what_is_said_is_written_down_in_one_way(alice: Tenant) -> None:
    reply = await alice.api.post("/v1/recipients", json=ADA)
    ada = reply.json()
    assert reply.status_code == 201
    assert (ada["email"], ada["phone"], ada["locale"]) == ("ada@example.com", "+4930123456", "pt-BR")
    assert (ada["last_score"], ada["last_asked_at"], ada["account"], ada["revision"]) == (None, None, None, 1)


async def test_an_address_may_be_as_long_as_mail_allows(alice: Tenant) -> None:
    host = ".".join(["d" * 60] * 3) + ".example"
    longest = "a" * 62 + "@" + host
    assert len(longest) == 253
    assert (await a_recipient(alice, email=longest))["email"] == longest
    assert (await alice.api.post("/v1/recipients", json={"email": f"aa{longest}"})).status_code == 422


async def test_the_second_call_updates_and_says_so(alice: Tenant) -> None:
    ada = await a_recipient(alice)
    reply = await alice.api.post("/v1/recipients", json={"email": "ada@example.com", "properties": {"plan": "pro"}})
    assert reply.status_code == 200
    assert reply.json()["id"] == ada["id"]
    assert (reply.json()["name"], reply.json()["properties"], reply.json()["revision"]) == ("Ada", {"plan": "pro"}, 2)


async def test_people_are_found_by_what_they_are_known_by(alice: Tenant) -> None:
    ada = await a_recipient(alice)
    for reference in ("external_id:a", "email:ADA@example.com", "phone:+4930123456"):
        assert (await alice.api.get(f"/v1/recipients/{reference}")).json() == ada


async def test_a_mailbox_is_one_person_however_its_domain_is_written(alice: Tenant) -> None:
    first = await alice.api.post("/v1/recipients", json={"email": "u@münchen.example"})
    again = await alice.api.post("/v1/recipients", json={"email": "U@xn--mnchen-3ya.example"})
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    found = await alice.api.get("/v1/recipients", params={"email": "u@MÜNCHEN.example"})
    assert [one["email"] for one in found.json()["data"]] == ["u@xn--mnchen-3ya.example"]
    assert (await alice.api.get("/v1/recipients/email:u@münchen.example")).json()["id"] == first.json()["id"]


async def test_two_people_are_named_in_a_conflict(alice: Tenant) -> None:
    one = await a_recipient(alice, external_id="a")
    two = await a_recipient(alice, email="b@example.com")
    reply = await alice.api.post("/v1/recipients", json={"external_id": "a", "email": "b@example.com"})
    assert (reply.status_code, reply.json()["code"]) == (409, "identity_conflict")
    assert reply.json()["recipients"] == sorted([one["id"], two["id"]])


async def test_null_clears_and_absence_leaves(alice: Tenant) -> None:
    ada = await a_recipient(alice, **ADA, properties={"plan": "pro", "seats": 2})
    at = f"/v1/recipients/{ada['id']}"
    changed = (await alice.api.patch(at, json={"name": None, "properties": {"plan": None}})).json()
    assert (changed["name"], changed["email"], changed["properties"]) == (None, "ada@example.com", {"seats": 2})
    assert (await alice.api.patch(at, json={"properties": None})).json()["properties"] == {}
    assert (await alice.api.patch(at, json={})).json()["revision"] == 3


async def test_what_cannot_be_is_refused_with_a_pointer(alice: Tenant) -> None:
    refused: list[tuple[str, object]] = [
        ("email", "nobody"), ("phone", "030 123456"), ("locale", "German"), ("time_zone", "Mars/Olympus"),
        ("external_id", " "), ("external_id", "x" * 201), ("external_id", 7), ("name", "line\nbreak"),
        ("properties", {"nested": {"a": 1}}), ("properties", {str(number): 1 for number in range(65)}),
        ("properties", {"": 1}), ("properties", {"long": "x" * 1001}), ("account_id", "acct_1"), ("score", 9),
    ]  # fmt: skip
    for field, value in refused:
        reply = await alice.api.post("/v1/recipients", json={"phone": "+4930123456", field: value})
        assert reply.status_code == 422, (field, value, reply.text)
        assert reply.json()["errors"][0]["pointer"].startswith(f"/{field}")
    assert (await alice.api.get("/v1/recipients")).json()["data"] == []


async def test_somebody_needs_an_identifier(alice: Tenant) -> None:
    reply = await alice.api.post("/v1/recipients", json={"name": "Nobody"})
    assert (reply.status_code, reply.json()["code"]) == (422, "recipient_unidentified")


async def test_an_account_comes_with_its_recipient(alice: Tenant) -> None:
    ada = await a_recipient(alice, external_id="a", account={"external_id": "acme", "name": "Acme", "revenue": 1200.5})
    assert (ada["account"]["external_id"], ada["account"]["name"]) == ("acme", "Acme")
    account = (await alice.api.get(f"/v1/accounts/{ada['account']['id']}")).json()
    assert account["revenue"] == 1200.5
    left = await alice.api.patch(f"/v1/recipients/{ada['id']}", json={"account_id": None})
    assert left.json()["account"] is None
    both = {"account": {"external_id": "x"}, "account_id": account["id"]}
    assert (await alice.api.patch(f"/v1/recipients/{ada['id']}", json=both)).status_code == 422


async def test_rows_of_a_bulk_end_each_in_their_own_way(alice: Tenant) -> None:
    await a_recipient(alice, external_id="known", name="Known")
    rows = [
        {"external_id": "new"},
        {"external_id": "known", "name": "Other"},
        {"external_id": "known", "name": "Other"},
        {"email": "nobody"},
        {"external_id": "known", "score": 1},
        7,
        {"name": "Nobody"},
    ]
    reply = (await alice.api.post("/v1/recipients/bulk", json={"recipients": rows})).json()
    assert {name: reply[name] for name in ("created", "updated", "unchanged", "rejected")} == {
        "created": 1, "updated": 1, "unchanged": 1, "rejected": 4,
    }  # fmt: skip
    assert [result["status"] for result in reply["results"]] == [201, 200, 200, 422, 422, 422, 422]
    codes = [result["problem"] and result["problem"]["code"] for result in reply["results"]]
    invalid = "validation_failed"
    assert codes == [None, None, None, "recipient_invalid", invalid, invalid, "recipient_unidentified"]


async def test_a_bulk_has_at_most_five_hundred_rows(alice: Tenant) -> None:
    rows = [{"external_id": str(number)} for number in range(501)]
    assert (await alice.api.post("/v1/recipients/bulk", json={"recipients": rows})).status_code == 422
    reply = await alice.api.post("/v1/recipients/bulk", json={"recipients": rows[:500]})
    assert reply.json()["created"] == 500


async def test_people_are_filtered(alice: Tenant) -> None:
    ada = await a_recipient(
        alice, external_id="a", email="ada@example.com", name="Ada Lovelace", properties={"plan": "pro", "seats": 3},
        account={"external_id": "acme"},
    )  # fmt: skip
    bob = await a_recipient(alice, external_id="b_50%", name="Bob", properties={"plan": "free", "active": True})
    await alice.api.post(f"/v1/recipients/{bob['id']}/unsubscribe")

    async def found(**filters: Any) -> list[str]:
        reply = await alice.api.get("/v1/recipients", params=filters)
        assert reply.status_code == 200, reply.text
        return sorted(person["external_id"] for person in reply.json()["data"])

    assert await found() == ["a", "b_50%"]
    assert await found(email="ADA@example.com") == ["a"]
    assert await found(external_id="b_50%") == ["b_50%"]
    assert await found(account_id=ada["account"]["id"]) == ["a"]
    assert await found(q="ada l") == ["a"]
    assert await found(q="b_5") == ["b_50%"]
    assert await found(q="%") == []
    assert await found(property="plan:pro") == ["a"]
    assert await found(property=["plan:pro", "seats:3"]) == ["a"]
    assert await found(property="active:true") == ["b_50%"]
    assert await found(is_unsubscribed=True) == ["b_50%"]
    assert await found(is_unsubscribed=False) == ["a"]


async def test_changes_can_be_followed(alice: Tenant) -> None:
    ada = await a_recipient(alice, external_id="a")
    first = (await alice.api.get("/v1/recipients", params={"updated_after": ada["created_at"]})).json()
    assert [person["id"] for person in first["data"]] == [ada["id"]]
    assert (await alice.api.get("/v1/recipients", params={"cursor": first["next_cursor"]})).json()["data"] == []
    await alice.api.patch(f"/v1/recipients/{ada['id']}", json={"name": "Ada"})
    later = (await alice.api.get("/v1/recipients", params={"cursor": first["next_cursor"]})).json()
    assert [person["name"] for person in later["data"]] == ["Ada"]


async def test_unsubscribing_twice_is_once(alice: Tenant) -> None:
    ada = await a_recipient(alice)
    once = (await alice.api.post(f"/v1/recipients/{ada['id']}/unsubscribe")).json()
    again = (await alice.api.post(f"/v1/recipients/{ada['id']}/unsubscribe")).json()
    assert once["unsubscribed_at"] is not None
    assert again == once


async def test_a_repeated_key_answers_as_the_first_time(alice: Tenant) -> None:
    key = {"idempotency-key": "one"}
    first = await alice.api.post("/v1/recipients", json=ADA, headers=key)
    again = await alice.api.post("/v1/recipients", json=ADA, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()


async def test_a_reference_that_names_nothing_is_refused(alice: Tenant) -> None:
    for reference in ("nobody", "email:", "name:Ada", "rcpt_1", "external_id:%00"):
        assert (await alice.api.get(f"/v1/recipients/{reference}")).status_code == 422, reference


async def test_a_bounced_address_is_shown_until_it_is_another_one(alice: Tenant, engine: Engine) -> None:
    ada = await a_recipient(alice)
    async with engine.write() as tx:
        bounce = text("UPDATE recipients SET bounced_at = now(), complained_at = now() WHERE workspace_id = :id")
        await tx.execute(bounce, {"id": alice.workspace_id})
    at = f"/v1/recipients/{ada['id']}"
    renamed = (await alice.api.patch(at, json={"name": "Lovelace"})).json()
    assert renamed["bounced_at"] is not None
    moved = (await alice.api.patch(at, json={"email": "ada@example.org"})).json()
    assert moved["bounced_at"] is None
    assert moved["complained_at"] is not None
