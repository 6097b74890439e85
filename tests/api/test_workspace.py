import pytest

from tests.conftest import Tenant


async def test_a_key_shows_its_own_workspace(alice: Tenant, charlie: Tenant) -> None:
    hers = (await alice.api.get("/v1/workspace")).json()
    assert hers["id"] == f"ws_{alice.workspace_id.hex}"
    assert hers["sibling_id"] == f"ws_{alice.test_workspace_id.hex}"
    assert (hers["name"], hers["mode"], hers["time_zone"]) == ("Alice", "live", "Europe/Berlin")
    assert (await charlie.api.get("/v1/workspace")).json()["name"] == "Charlie"


async def test_name_and_time_zone_can_be_changed_alone(alice: Tenant, charlie: Tenant) -> None:
    named = (await alice.api.patch("/v1/workspace", json={"name": "Alice & Co"})).json()
    assert (named["name"], named["time_zone"], named["revision"]) == ("Alice & Co", "Europe/Berlin", 2)
    moved = (await alice.api.patch("/v1/workspace", json={"time_zone": "America/Argentina/Buenos_Aires"})).json()
    assert (moved["name"], moved["time_zone"], moved["revision"]) == (
        "Alice & Co", "America/Argentina/Buenos_Aires", 3,
    )  # fmt: skip
    assert (await charlie.api.get("/v1/workspace")).json()["name"] == "Charlie"


PLAIN = {
    "name": "Alice", "accent": "#3b4cca", "ink": "#ffffff", "logo": None, "postal_address": None,
    "privacy_url": None,
}  # fmt: skip


async def brand(tenant: Tenant, **changes: object) -> dict[str, object]:
    reply = await tenant.api.patch("/v1/workspace", json={"brand": changes})
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["brand"])


async def test_a_brand_is_the_workspace_in_a_colour_of_ours_until_it_is_set(alice: Tenant, charlie: Tenant) -> None:
    assert (await alice.api.get("/v1/workspace")).json()["brand"] == PLAIN
    await brand(charlie, name="Charlie's", accent="#ffd60a")
    assert (await alice.api.patch("/v1/workspace", json={"name": "Shop"})).json()["brand"] == {**PLAIN, "name": "Shop"}


async def test_a_brand_is_changed_field_by_field_and_what_is_written_on_it_can_be_read(alice: Tenant) -> None:
    yellow = {"name": "Acme", "accent": "#ffd60a", "ink": "#000000"}
    assert await brand(alice, name="Acme", accent="#ffd60a") == {**PLAIN, **yellow}
    address = {"postal_address": "Acme Ltd\n1 High Street", "privacy_url": "https://acme.example/privacy"}
    assert await brand(alice, **address) == {**PLAIN, **yellow, **address}
    assert await brand(alice, name=None, accent=None) == {**PLAIN, **address}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("name", "two\nlines"), ("name", "x" * 101), ("accent", "red"), ("accent", "#FFF"),
        ("accent", "#GG0000"), ("privacy_url", "http://acme.example/privacy"), ("privacy_url", "javascript:alert(1)"),
        ("privacy_url", "https://user@acme.example"), ("postal_address", "x" * 501), ("postal_address", ""),
        ("slogan", "We care"),
    ],
)  # fmt: skip
async def test_what_would_not_look_right_is_refused(alice: Tenant, field: str, value: str) -> None:
    reply = await alice.api.patch("/v1/workspace", json={"brand": {"postal_address": "Here", field: value}})
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, f"/brand/{field}")
    assert (await alice.api.get("/v1/workspace")).json()["brand"] == PLAIN


async def test_saying_nothing_changes_nothing(alice: Tenant) -> None:
    before = (await alice.api.get("/v1/workspace")).json()
    assert (await alice.api.patch("/v1/workspace", json={})).json() == before


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "Europe", "../../etc/passwd", "localtime", "posixrules", "right/UTC", "", " ", "CEST-2", 2]
)
async def test_an_unknown_time_zone_is_refused(alice: Tenant, zone: object) -> None:
    reply = await alice.api.patch("/v1/workspace", json={"time_zone": zone, "name": "Changed"})
    assert reply.status_code == 422
    assert (await alice.api.get("/v1/workspace")).json()["name"] == "Alice"


async def test_every_time_zone_of_python_is_either_known_to_postgresql_or_refused(alice: Tenant) -> None:
    """Recording asks PostgreSQL for the day of an answer; a zone only Python knows would fail every answer."""
    from zoneinfo import available_timezones

    for zone in sorted(available_timezones())[::20]:
        assert (await alice.api.patch("/v1/workspace", json={"time_zone": zone})).status_code in {200, 422}
        assert (await alice.api.get("/v1/workspace")).status_code == 200


@pytest.mark.parametrize(
    "body", [{"name": None}, {"name": "  "}, {"name": "a\x00b"}, {"mode": "test"}, [], {"name": 1}]
)
async def test_what_is_no_change_of_a_workspace_is_refused(alice: Tenant, body: object) -> None:
    assert (await alice.api.patch("/v1/workspace", json=body)).status_code == 422


async def test_a_sender_and_a_quarantine_are_set(alice: Tenant, charlie: Tenant) -> None:
    before = (await alice.api.get("/v1/workspace")).json()
    assert before["sender"] == {
        "from_name": None, "from_email": None, "reply_to": None, "bounce_address": None, "notify_email": None,
        "domains": [], "dkim_selectors": [], "send_unaligned": False,
    }  # fmt: skip
    assert before["quarantine_days"] == 90
    said = {"from_name": "Shop", "from_email": "Surveys@Shop.example", "domains": ["shop.test"]}
    reply = await alice.api.patch("/v1/workspace", json={"sender": said, "quarantine_days": 30})
    assert reply.status_code == 200, reply.text
    assert reply.json()["sender"] == {**before["sender"], **said, "from_email": "surveys@shop.example"}
    assert reply.json()["quarantine_days"] == 30
    again = (await alice.api.patch("/v1/workspace", json={"sender": {"from_name": None}})).json()
    assert again["sender"]["from_name"] is None
    assert again["sender"]["from_email"] == "surveys@shop.example"
    assert (await charlie.api.get("/v1/workspace")).json()["quarantine_days"] == 90


async def test_a_sender_that_cannot_send_is_refused(alice: Tenant) -> None:
    reply = await alice.api.patch("/v1/workspace", json={"sender": {"from_email": "surveys"}})
    assert (reply.status_code, reply.json()["code"]) == (422, "sender_invalid")
    assert reply.json()["errors"][0]["pointer"] == "/sender/from_email"
    assert (await alice.api.patch("/v1/workspace", json={"quarantine_days": -1})).status_code == 422
