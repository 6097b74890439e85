from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from app.dashboard.places import delivery_path, endpoint_path, replay_path
from app.db.engine import Engine
from app.domain.ids import parsed
from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from tests.builders import a_recipient, rows
from tests.conftest import Tenant, a_tenant, running_app
from tests.dashboard.reader import Page, Reader, a_reader, check_headers
from tests.dashboard.scenery import HOSTILE, Scenery, Stage
from tests.served import served
from tests.wire import wire_to

LIST = "/dashboard/webhooks"


def places(scenery: Scenery) -> list[str]:
    return [
        LIST,
        *[endpoint_path(one) for one in scenery.endpoints],
        delivery_path(scenery.healthy, scenery.delivered),
        delivery_path(scenery.unsteady, scenery.exhausted),
        delivery_path(scenery.unsteady, scenery.pending),
        replay_path(scenery.unsteady),
    ]


async def with_scopes(engine: Engine, tenant: Tenant, *scopes: str) -> str:
    async with engine.write() as tx:
        key = await issue_key(
            tx, tenant.workspace_id, mode="live", kind=KeyKind.SECRET, name="Lena", scopes=scopes, now=datetime.now(UTC)
        )
    return key.token


async def test_every_page_is_right_for_its_owner_and_not_there_for_a_stranger(
    lena: Reader, scenery: Scenery, site: str, charlie: Tenant
) -> None:
    async with a_reader(site) as other:
        await other.log_in(charlie.secret_key)
        for path in places(scenery):
            assert (await lena.read(path)).status == 200, path
            if path != LIST:
                assert (await other.read(path)).status == 404, path
        theirs = await other.read(LIST)
    assert "Customer desk" not in theirs.html
    assert "Nobody listens yet" in theirs.text


async def test_a_stranger_cannot_press_her_buttons(
    lena: Reader, scenery: Scenery, site: str, charlie: Tenant, engine: Engine
) -> None:
    forms = [
        *(await lena.read(endpoint_path(scenery.healthy))).forms,
        *(await lena.read(endpoint_path(scenery.gone))).forms,
        *(await lena.read(delivery_path(scenery.unsteady, scenery.exhausted))).forms,
        *(await lena.read(delivery_path(scenery.unsteady, scenery.pending))).forms,
        *(await lena.read(replay_path(scenery.unsteady))).forms,
    ]
    acts = [form for form in forms if form.button != "Log out"]
    assert {form.action.rpartition("/")[2] for form in acts} >= {
        "test",
        "enable",
        "disable",
        "retry",
        "cancel",
        "replay",
    }
    async with a_reader(site) as other:
        await other.log_in(charlie.secret_key)
        token = (await other.read(LIST)).button("Log out").fields["form_token"]
        for form in acts:
            assert (await other.press(form, form_token=token)).status_code == 404, form.action
    left = await rows(
        engine, "SELECT disabled_at IS NULL AS enabled FROM webhook_endpoints WHERE id = :id", id=scenery.healthy
    )
    assert left == [{"enabled": True}]


async def test_the_list_tells_who_needs_a_look(lena: Reader, scenery: Scenery) -> None:
    seen = await lena.read(LIST)
    assert "4 endpoints · 2 need a look" in seen.text
    assert "6 in a row failed. One delivery is tried when the pause ends; the others wait." in seen.text
    assert "Its receiver answered 410 Gone." in seen.text
    assert "Nothing was sent in the last 24 hours." in seen.text
    assert seen.links["Customer desk"] == endpoint_path(scenery.healthy)


async def test_what_strangers_wrote_stays_text(lena: Reader, scenery: Scenery) -> None:
    """The parser of these tests fails for a script, an image or a bold word that was not ours."""
    seen = await lena.read(delivery_path(scenery.unsteady, scenery.exhausted))
    assert "<script>alert(1)</script>" in seen.text
    assert "<b>not bold</b>" in seen.text
    assert "<script" not in seen.html


async def test_names_are_text_too(lena: Reader, alice: Tenant) -> None:
    body = {"url": "https://x.example/%3Cscript%3E?a='&amp;b", "description": HOSTILE}
    reply = await alice.api.post("/v1/webhook-endpoints", json=body)
    assert reply.status_code == 201, reply.text
    for path in (LIST, f"{LIST}/{reply.json()['id']}"):
        assert "<script>alert(1)</script>" in (await lena.read(path)).text


async def test_deliveries_are_filtered_and_paged(lena: Reader, scenery: Scenery) -> None:
    place = endpoint_path(scenery.unsteady)
    given_up = await lena.read(f"{place}?state=exhausted")
    assert "502" in given_up.text
    assert "Delivered 204" not in given_up.text
    nothing = await lena.read(f"{endpoint_path(scenery.quiet)}?state=exhausted")
    assert "None is given up at the moment." in nothing.text


async def test_deliveries_about_a_person_are_found(
    lena: Reader, alice: Tenant, scenery: Scenery, engine: Engine
) -> None:
    kim = await a_recipient(engine, alice.workspace_id, external_id="u 77&é", email="kim@example.com")
    stage = Stage(engine, alice, datetime.now(UTC), "hers", about=parsed("recipient", kim))
    hers = await stage.delivery(scenery.quiet, "delivered", 5, [(200, None, 7)])
    for said in ("u 77&é", "Kim@example.com"):
        seen = await lena.read(f"{LIST}?{urlencode({'about': said})}")
        assert seen.html.count("evt_") == 1, said
        assert seen.links["response.created"] == delivery_path(scenery.quiet, hers)
        given_up = await lena.read(LIST + seen.links["Given up"])
        assert f"Nothing has been sent about {said}" in given_up.text
    nobody = await lena.read(f"{LIST}?about=%3Cscript%3E")
    assert "Nothing has been sent about <script>" in nobody.text
    assert (await lena.read(f"{LIST}?about=%00")).status == 404


async def test_older_deliveries_are_a_link_away(lena: Reader, alice: Tenant, engine: Engine, scenery: Scenery) -> None:
    stage = Stage(engine, alice, datetime.now(UTC), "more")
    for minutes in range(1000, 1030):
        await stage.delivery(scenery.quiet, "delivered", minutes, [(200, None, 5)])
    first = await lena.read(endpoint_path(scenery.quiet))
    second = await lena.read(endpoint_path(scenery.quiet) + first.links["Older"])
    assert first.html.count("evt_") == 25
    assert second.html.count("evt_") == 5
    assert second.links["Newest"] == endpoint_path(scenery.quiet)
    assert "Older" not in second.links


@pytest.mark.parametrize("query", ["?state=lost", "?cursor=nonsense", "?limit=0"])
async def test_a_query_that_means_nothing_is_a_page_too(lena: Reader, query: str) -> None:
    assert (await lena.read(LIST + query)).status in {404, 422}


@pytest.mark.parametrize("path", ["/ep_1", "/ep_0198c1f2a7b3708c9d4e5f60718293a4", "/x/y/z", "/%00"])
async def test_what_is_not_there_is_a_page_too(lena: Reader, path: str) -> None:
    seen = await lena.read(LIST + path)
    assert seen.status == 404
    assert "There is nothing here" in seen.text


async def test_a_delivery_stands_under_its_own_endpoint_only(lena: Reader, scenery: Scenery) -> None:
    assert (await lena.read(delivery_path(scenery.healthy, scenery.exhausted))).status == 404


async def test_the_way_back_out_of_a_410(lena: Reader, scenery: Scenery, engine: Engine) -> None:
    seen = await lena.read(endpoint_path(scenery.gone))
    assert "Send a test event" not in seen.buttons
    told = await lena.follow(await lena.press(seen.button("Enable it")))
    assert "The endpoint is enabled." in told.text
    again = await lena.read(endpoint_path(scenery.gone))
    assert "The endpoint is enabled." not in again.text
    assert {"Send a test event", "Disable it"} <= set(again.buttons)


async def test_disabling_and_testing(lena: Reader, scenery: Scenery, engine: Engine) -> None:
    place = endpoint_path(scenery.quiet)
    form = (await lena.read(place)).button("Send a test event")
    assert "A test event is on its way." in (await lena.follow(await lena.press(form))).text
    sent = "SELECT type FROM events WHERE workspace_id = (SELECT workspace_id FROM webhook_endpoints WHERE id = :id)"
    assert {"type": "endpoint.test"} in await rows(engine, sent, id=scenery.quiet)
    disabled = await lena.follow(await lena.press((await lena.read(place)).button("Disable it")))
    assert "The endpoint is disabled." in disabled.text
    refused = Page(await lena.press(form))
    assert refused.status == 409
    assert "Enable the endpoint first" in refused.text
    assert refused.links["Go back"] == place


async def test_a_given_up_delivery_is_tried_again(lena: Reader, scenery: Scenery, engine: Engine) -> None:
    seen = await lena.read(delivery_path(scenery.unsteady, scenery.exhausted))
    told = await lena.follow(await lena.press(seen.button("Try again now")))
    assert "Another try is due now." in told.text
    (row,) = await rows(engine, "SELECT due_at <= now() AS due FROM deliveries WHERE id = :id", id=scenery.exhausted)
    assert row["due"]


async def test_a_waiting_delivery_is_cancelled(lena: Reader, scenery: Scenery, engine: Engine) -> None:
    place = delivery_path(scenery.unsteady, scenery.pending)
    form = (await lena.read(place)).button("Cancel it")
    told = await lena.follow(await lena.press(form))
    assert "The delivery is cancelled" in told.text
    assert "Cancel it" not in told.buttons
    assert await rows(engine, "SELECT state FROM delivery_log WHERE id = :id", id=scenery.pending) == [
        {"state": "cancelled"}
    ]
    refused = Page(await lena.press(form))
    assert (refused.status, refused.links["Go back"]) == (409, place)


async def test_what_was_missed_is_counted_before_it_is_delivered_again(
    lena: Reader, scenery: Scenery, engine: Engine
) -> None:
    place = replay_path(scenery.unsteady)
    hour = await lena.read(f"{place}?period=hour")
    assert "Given up 0 " in hour.text
    day = await lena.read(place)
    assert "Given up 1 " in day.text
    told = await lena.follow(await lena.press(day.button("Deliver those given up")))
    assert "The replay has begun." in told.text
    assert "Running" in told.text
    started = "SELECT include_never_attempted, until - since AS length FROM replays WHERE endpoint_id = :id"
    (begun,) = await rows(engine, started, id=scenery.unsteady)
    assert begun == {"include_never_attempted": False, "length": timedelta(days=1)}


async def test_a_replay_under_way_is_cancelled(lena: Reader, scenery: Scenery, engine: Engine) -> None:
    place = replay_path(scenery.unsteady)
    begun = await lena.follow(await lena.press((await lena.read(place)).button("Deliver those given up")))
    form = begun.button("Cancel")
    told = await lena.follow(await lena.press(form))
    assert "The replay is cancelled." in told.text
    assert "Cancel" not in told.buttons
    left = await rows(engine, "SELECT is_cancelled FROM replays WHERE endpoint_id = :id", id=scenery.unsteady)
    assert left == [{"is_cancelled": True}]
    refused = Page(await lena.press(form))
    assert (refused.status, refused.links["Go back"]) == (409, place)
    assert (await lena.press(form, replay_id="rply_x")).status_code == 404


async def test_enabling_offers_what_was_missed(lena: Reader, scenery: Scenery, engine: Engine) -> None:
    """Disabled for a quarter of an hour: one was given up since, and five events of others happened."""
    async with engine.write() as tx:
        earlier = text("UPDATE webhook_endpoints SET disabled_at = now() - interval '15 minutes' WHERE id = :id")
        await tx.execute(earlier, {"id": scenery.gone})
    seen = await lena.read(endpoint_path(scenery.gone))
    assert "Enable it" in seen.buttons
    told = await lena.follow(await lena.press(seen.button("Enable it and deliver the 6 it missed")))
    assert "What was waiting and what it missed is being delivered." in told.text
    (begun,) = await rows(engine, "SELECT * FROM replays WHERE endpoint_id = :id", id=scenery.gone)
    assert begun["include_never_attempted"]


@pytest.mark.parametrize("period", ["", "year"])
async def test_a_replay_is_of_a_period_that_was_offered(lena: Reader, scenery: Scenery, period: str) -> None:
    form = (await lena.read(replay_path(scenery.unsteady))).button("Deliver those given up")
    assert (await lena.press(form, period=period)).status_code == 404
    assert (await lena.read(f"{replay_path(scenery.unsteady)}?period={period}")).status == 404


async def test_a_disabled_endpoint_is_enabled_before_anything_is_delivered_again(
    lena: Reader, scenery: Scenery
) -> None:
    seen = await lena.read(replay_path(scenery.gone))
    assert "Enable the endpoint first" in seen.text
    assert seen.buttons == ["Log out"]


async def test_whoever_may_only_look_gets_no_buttons(
    stranger: Reader, alice: Tenant, engine: Engine, scenery: Scenery, lena: Reader
) -> None:
    await stranger.log_in(await with_scopes(engine, alice, "webhooks:read"))
    for path in places(scenery):
        assert set((await stranger.read(path)).buttons) <= {"Log out", "Find"}
    assert (await stranger.read(replay_path(scenery.unsteady))).status == 403
    token = (await stranger.read(LIST)).button("Log out").fields["form_token"]
    form = (await lena.read(endpoint_path(scenery.healthy))).button("Disable it")
    refused = Page(await stranger.press(form, form_token=token))
    assert refused.status == 403
    assert "webhooks:write" in refused.text


async def test_what_answers_say_needs_a_key_that_may_read_events(
    stranger: Reader, alice: Tenant, engine: Engine, scenery: Scenery, lena: Reader
) -> None:
    place = delivery_path(scenery.unsteady, scenery.exhausted)
    await stranger.log_in(await with_scopes(engine, alice, "webhooks:read"))
    assert "Kim Sample" in (await lena.read(place)).text
    told = await stranger.read(place)
    assert "Kim Sample" not in told.html
    assert "events:read" in told.text


@pytest.mark.parametrize(
    ("options", "said", "not_said"),
    [
        ({"payload": "thin"}, '"revision": 1', "Kim Sample"),
        (
            {"template": {"source": "score={{ data.response.score }}&more", "content_type": "text/plain"}},
            "score=3&more As text/plain under webhook-id",
            '"score"',
        ),
        (
            {
                "template": {
                    "source": '{"text": {{ data.response.comment | tojson }}}',
                    "content_type": "application/json",
                }
            },
            "<script>alert(1)</script>",
            "Kim Sample",
        ),
    ],
)
async def test_a_body_is_shown_as_the_endpoint_wants_it(
    lena: Reader, alice: Tenant, scenery: Scenery, options: dict[str, Any], said: str, not_said: str
) -> None:
    place = delivery_path(scenery.unsteady, scenery.exhausted)
    endpoint = place.split("/")[3]
    changed = await alice.api.patch(f"/v1/webhook-endpoints/{endpoint}", json=options)
    assert changed.status_code == 200, changed.text
    seen = await lena.read(place)
    assert said in seen.text
    assert not_said not in seen.text
    assert (await lena.read(endpoint_path(scenery.unsteady))).status == 200


async def test_a_test_workspace_says_so_on_every_page(stranger: Reader, alice: Tenant, engine: Engine) -> None:
    async with engine.write() as tx:
        key = await issue_key(
            tx, alice.test_workspace_id, mode="test", kind=KeyKind.SECRET, name="Lena", now=datetime.now(UTC)
        )
    await stranger.log_in(key.token)
    seen = await stranger.read(LIST)
    assert "Alice Test" in seen.text
    assert "Test workspace: nothing here is about real customers." in seen.text


async def test_the_sheet_and_the_font_come_from_here_and_stay_in_the_browser(stranger: Reader) -> None:
    seen = await stranger.read("/dashboard/log-in")
    hrefs = [part.partition('"')[0] for part in seen.html.split('href="')[1:] if part.startswith("/dashboard/static")]
    assert {href.rpartition(".")[2] for href in hrefs} == {"css", "woff2", "svg"}
    for href in hrefs:
        reply = await stranger.http.get(href)
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert (await stranger.http.get("/dashboard/static/x/../../../main.py")).status_code in {303, 404}
    assert "no-cache" in (await stranger.http.get("/dashboard/static/old/dashboard.css")).headers["cache-control"]


async def test_without_its_database_a_page_says_come_back(own_database_url: str, own_engine: Engine) -> None:
    async with (
        wire_to(own_database_url) as wire,
        running_app(wire.url) as app,
        served(app) as site,
        a_tenant(app, own_engine, "Alice") as tenant,
        a_reader(site) as reader,
    ):
        await reader.log_in(tenant.secret_key)
        assert (await reader.read(LIST)).status == 200
        await wire.cut()
        seen = await reader.read(LIST)
    assert seen.status == 503
    assert int(seen.reply.headers["retry-after"]) > 0
    assert "The database does not answer" in seen.text


async def test_our_own_mistakes_are_a_page_with_an_id(
    lena: Reader, scenery: Scenery, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr("app.dashboard.webhooks.summary_of", mistaken)
    seen = await lena.read(LIST)
    assert seen.status == 500
    assert "secret" not in seen.text
    assert seen.reply.headers["x-request-id"] in seen.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/dashboard/webhooks", "GET"),
        ("DELETE", "/dashboard/webhooks", "GET"),
        ("POST", "/dashboard/webhooks", "GET"),
        ("PATCH", "/dashboard/log-in", "GET, POST"),
        ("POST", "/dashboard/nothing", "GET"),
        ("PROPFIND", "/dashboard", "GET"),
    ],
)
async def test_another_method_is_refused_with_a_page(lena: Reader, method: str, path: str, allowed: str) -> None:
    reply = await lena.http.request(method, path)
    check_headers(reply)
    assert (reply.status_code, reply.headers["allow"]) == (405, allowed)
    assert "This cannot be done here" in Page(reply).text
