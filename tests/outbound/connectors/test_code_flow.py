"""Being let in on a service's own page: where people are sent, what a code is worth, and every other reply."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from app.domain.connectors.authorization import (
    AuthorizationFailure,
    AuthorizationUnusable,
    Code,
    Consent,
    Granted,
    NotGranted,
    StateOf,
    read_state,
)
from app.domain.connectors.catalogue import connector_asking
from app.domain.connectors.protocol import Access, Call, Connector
from app.domain.connectors.settings import ConnectorSettingsUnusable
from app.domain.webhooks.attempts import Failure, Outcome
from app.outbound.connectors.run import run_steps
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import STORY, Memory, a_connector, take, tell
from tests.outbound.receivers import NOW, a_client

BACK = "https://nps.example.com/oauth/callback"
CONSENT = Consent(BACK, "state1", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # the verifier of RFC 7636
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # and its challenge there
APP = {"client_id": "app1", "client_secret": "secret"}
TOKEN_PATHS = {
    "hubspot": "/oauth/2026-03/token", "salesforce": "/services/oauth2/token", "zoho": "/oauth/v2/token",
    "google_sheets": "/token",
}  # fmt: skip
SPEAK_PKCE = {"salesforce", "google_sheets"}
SHEETS = "https://www.googleapis.com/auth/spreadsheets"


def asking(kind: str, url: str) -> Connector:
    """One that somebody is still to let in, at a service on loopback."""
    where: dict[str, dict[str, Any]] = {
        "hubspot": {"base_url": url}, "salesforce": {"base_url": url}, "zoho": {"accounts_url": url},
        "google_sheets": {"base_url": url, "login_url": url, "spreadsheet_id": "1AbC"},
    }  # fmt: skip
    return connector_asking(kind, {**APP, **where[kind]})


class Vendor(Service):
    """Gives each code one refresh token, whoever asks as the app it was given to, in a form and not in the address."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.codes, self.is_offline, self.scope = kind, {"code1"}, True, SHEETS

    def reply(self, asked: Asked) -> Said:
        assert (asked.method, asked.path, asked.query) == ("POST", TOKEN_PATHS[self.kind], {})
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        form = dict(asked.form)
        if form.pop("client_id") != "app1" or form.pop("client_secret") != "secret":
            return self._refusal("invalid_client", "BAD_CLIENT_SECRET")
        if form.pop("redirect_uri", BACK) != BACK:
            return self._refusal("redirect_uri_mismatch", "MISMATCH_REDIRECT_URI_AUTH_CODE")
        if form.pop("code_verifier", None) != (CONSENT.verifier if self.kind in SPEAK_PKCE else None):
            return self._refusal("invalid_grant", "BAD_AUTH_CODE")
        assert form.pop("grant_type") == "authorization_code"
        if form.pop("code") not in self.codes:
            return self._refusal("invalid_code" if self.kind == "zoho" else "invalid_grant", "EXPIRED_AUTH_CODE")
        assert form == {}
        self.codes.clear()
        return Said.of(200, self._tokens())

    def _tokens(self) -> dict[str, Any]:
        further: dict[str, dict[str, Any]] = {
            "salesforce": {"instance_url": self.url, "id": "https://login.salesforce.com/id/1/2", "scope": "api"},
            "zoho": {"api_domain": self.url, "expires_in": 3600}, "hubspot": {"expires_in": 1800},
            "google_sheets": {"expires_in": 3599, "scope": self.scope},
        }  # fmt: skip
        offline = {"refresh_token": "refresh1"} if self.is_offline else {}
        return {"access_token": "access1", "token_type": "Bearer", **offline, **further[self.kind]}

    def _refusal(self, usual: str, hubspots: str) -> Said:
        """Zoho's come under a 200; HubSpot's have names of their own."""
        if self.kind == "hubspot":
            return Said.of(400, {"status": hubspots, "message": "no"})
        return Said.of(200 if self.kind == "zoho" else 400, {"error": usual, "error_description": "no"})


async def exchange(connector: Connector, code: Code) -> tuple[Outcome, Any]:
    got: list[Any] = []

    async def keep(thing: Any) -> None:
        got.append(thing)

    async with a_client() as client:
        outcome = await run_steps(client, connector.exchange(code), keep=keep, now=NOW, deadline_seconds=5.0)
    return outcome, got[0] if got else None


def a_code(**changes: str) -> Code:
    return Code(**{"redirect_url": BACK, "code": "code1", "verifier": CONSENT.verifier, **changes})


@pytest.mark.parametrize(
    ("kind", "place", "further"),
    [
        (
            "hubspot", "https://app.hubspot.com/oauth/authorize",
            {
                "scope": "oauth crm.objects.contacts.read crm.objects.contacts.write crm.schemas.contacts.write",
                "optional_scope": "crm.objects.companies.read communication_preferences.read_write",
            },
        ),
        ("salesforce", "https://x.example/services/oauth2/authorize", {"scope": "api refresh_token"}),
        (
            "zoho", "https://x.example/oauth/v2/auth",
            {
                "scope": "ZohoCRM.modules.ALL,ZohoCRM.coql.READ", "access_type": "offline",
                "prompt": "consent",
            },
        ),
        (
            "google_sheets", "https://accounts.google.com/o/oauth2/v2/auth",
            {"scope": SHEETS, "access_type": "offline", "prompt": "consent"},
        ),
    ],
)  # fmt: skip
def test_people_are_sent_where_the_service_asks_them(kind: str, place: str, further: dict[str, str]) -> None:
    url = asking(kind, "https://x.example").consent_url(CONSENT)
    assert url is not None
    said = {"response_type": "code", "client_id": "app1", "redirect_uri": BACK, "state": "state1", **further}
    if kind in SPEAK_PKCE:
        said |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    assert (url.partition("?")[0], dict(parse_qsl(urlsplit(url).query))) == (place, said)
    assert "secret" not in url


@pytest.mark.parametrize("kind", TOKEN_PATHS)
async def test_a_code_is_exchanged_for_a_refresh_token_once(kind: str) -> None:
    async with at(Vendor(kind)) as vendor:
        outcome, got = await exchange(asking(kind, vendor.url), a_code())
        _, again = await exchange(asking(kind, vendor.url), a_code())
    assert (outcome.failure, got) == (None, Granted("refresh1"))
    assert again == NotGranted(AuthorizationFailure.CODE_EXPIRED)


@pytest.mark.parametrize("kind", TOKEN_PATHS)
@pytest.mark.parametrize(
    ("settings", "code", "failure"),
    [
        ({"client_secret": "other"}, {}, AuthorizationFailure.WRONG_APP),
        ({}, {"redirect_url": "https://other.example/"}, AuthorizationFailure.WRONG_REDIRECT),
        ({}, {"code": "code2"}, AuthorizationFailure.CODE_EXPIRED),
    ],
)
async def test_a_refusal_is_told_in_words(
    kind: str, settings: dict[str, str], code: dict[str, str], failure: AuthorizationFailure
) -> None:
    async with at(Vendor(kind)) as vendor:
        connector = asking(kind, vendor.url)
        for name, value in settings.items():
            object.__setattr__(connector, name, value)
        _, got = await exchange(connector, a_code(**code))
    assert got == NotGranted(failure)
    assert failure.hint


@pytest.mark.parametrize("kind", TOKEN_PATHS)
async def test_access_for_now_only_is_none(kind: str) -> None:
    """What services give that were asked before, or whose app has no offline access."""
    async with at(Vendor(kind)) as vendor:
        assert isinstance(vendor, Vendor)
        vendor.is_offline = False
        _, got = await exchange(asking(kind, vendor.url), a_code())
    assert got == NotGranted(AuthorizationFailure.NO_REFRESH_TOKEN)


async def test_what_was_unticked_at_google_is_noticed() -> None:
    async with at(Vendor("google_sheets")) as vendor:
        assert isinstance(vendor, Vendor)
        vendor.scope = "openid https://www.googleapis.com/auth/userinfo.email"
        _, got = await exchange(asking("google_sheets", vendor.url), a_code())
    assert got == NotGranted(AuthorizationFailure.MISSING_SCOPES)


@pytest.mark.parametrize("kind", TOKEN_PATHS)
@pytest.mark.parametrize(
    ("said", "got"),
    [
        (Said(429), None),
        (Said(503, b"<html>"), None),
        (Said(200, b"<html>"), None),
        (Said(200, b'{"refresh_token": 7}'), None),
        (Said.of(404, {"error": "no"}), NotGranted(AuthorizationFailure.REFUSED)),
        (Said.of(200, {"error": {"code": 1}}), NotGranted(AuthorizationFailure.REFUSED)),
    ],
)
async def test_what_passes_is_not_taken_for_a_refusal(kind: str, said: Said, got: Any) -> None:
    async with at(Vendor(kind)) as vendor:
        vendor.troubles = [said]
        outcome, found = await exchange(asking(kind, vendor.url), a_code())
    assert found == got
    assert (outcome.failure is None) is (got is not None)


SERVERS = [
    ("https://accounts.zoho.eu", True), ("https://accounts.zoho.com.au", True), ("https://accounts.zohocloud.ca", True),
    ("https://accounts.zoho.eu.evil.example", False), ("http://accounts.zoho.eu", False), ("", False),
    ("https://accounts.zoho.eu@evil.example", False), ("https://evil.example", False),
]  # fmt: skip


@pytest.mark.parametrize(("server", "is_zohos"), SERVERS)
def test_zoho_is_followed_to_its_own_data_centres_only(server: str, is_zohos: bool) -> None:
    there = asking("zoho", "https://accounts.zoho.com").going_on_at(server)
    assert (there is not None) is is_zohos
    if there is not None:
        call = next(there.exchange(a_code()))
        assert isinstance(call, Call)
        assert call.url == f"{server}/oauth/v2/token"


@pytest.mark.parametrize("kind", ["hubspot", "salesforce", "google_sheets"])
def test_others_have_no_other_servers(kind: str) -> None:
    connector = asking(kind, "https://x.example")
    assert connector.going_on_at("https://evil.example") is connector


@pytest.mark.parametrize(
    ("kind", "settings", "pointer"),
    [
        ("slack", {}, "/kind"), ("webhook", {}, "/kind"), ("pipedrive", {"api_token": "x"}, "/kind"),
        ("hubspot", {**APP, "token": "x"}, "/settings/token"),
        ("hubspot", {**APP, "refresh_token": "x"}, "/settings/refresh_token"),
        ("google_sheets", {**APP, "spreadsheet_id": "1", "service_account": "{}"}, "/settings/service_account"),
    ],
)  # fmt: skip
def test_nobody_is_asked_for_what_takes_no_consent(kind: str, settings: dict[str, str], pointer: str) -> None:
    with pytest.raises(AuthorizationUnusable) as refused:
        connector_asking(kind, settings)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize("kind", ["hubspot", "google_sheets"])
def test_one_way_in_or_the_other_has_to_be_whole(kind: str) -> None:
    sheet = {"spreadsheet_id": "1"} if kind == "google_sheets" else {}
    with pytest.raises(ConnectorSettingsUnusable):
        a_connector(kind, client_id="c", refresh_token="r", **sheet)
    assert a_connector(kind, **APP, refresh_token="r", **sheet).log_in() is not None


def test_a_state_is_read_as_it_was_made_and_nothing_else_is() -> None:
    state = StateOf(UUID(int=7), UUID(int=8), b"x" * 24)
    assert read_state(state.text) == state
    for wrong in (
        "",
        "x",
        state.text[:-1],
        f"{state.text}A",
        f"{state.text}=",
        "ä" * 75,
        state.text.replace("A", "\x00", 1),
    ):
        assert read_state(wrong) is None


class Refreshing(Service):
    """Knows one refresh token, and gives another with it where it `rotates`."""

    def __init__(self) -> None:
        super().__init__()
        self.rotates = False

    def reply(self, asked: Asked) -> Said:
        if asked.path in TOKEN_PATHS.values():
            if asked.form["refresh_token"] != "refresh1":
                return Said.of(400, {"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN"})
            renewed = {"refresh_token": "refresh2" if self.rotates else "refresh1"}
            return Said.of(200, {"access_token": "access1", "instance_url": self.url, "expires_in": 1800, **renewed})
        assert asked.headers["authorization"] == "Bearer access1"
        return Said.of(200, {"id": "1", "records": [{"Id": "1"}], "spreadsheetId": "1", "valueRanges": []})


def let_in(kind: str, url: str, refresh_token: str = "refresh1") -> Connector:
    where = {"google_sheets": {"login_url": url, "spreadsheet_id": "1"}}.get(kind, {})
    return a_connector(kind, base_url=url, **APP, refresh_token=refresh_token, **where)


@pytest.mark.parametrize("rotates", [False, True])
@pytest.mark.parametrize("kind", ["hubspot", "salesforce", "google_sheets"])
async def test_a_refresh_token_lets_us_in_and_the_one_in_its_place_is_kept(kind: str, rotates: bool) -> None:
    memory = Memory()
    async with at(Refreshing()) as service:
        assert isinstance(service, Refreshing)
        service.rotates = rotates
        assert (await tell(let_in(kind, service.url), STORY, memory=memory)).failure is None
        checking = let_in(kind, service.url).check()
        assert checking is not None
        assert (await take(checking)).failure is None
    assert isinstance(memory.access, Access)
    assert memory.access.refresh_token == ("refresh2" if rotates else None)
    assert (memory.access.token, memory.access.seconds) == ("access1", 1_500)


@pytest.mark.parametrize("kind", ["hubspot", "salesforce", "google_sheets"])
async def test_a_refresh_token_that_was_taken_back_is_refused_credentials(kind: str) -> None:
    async with at(Refreshing()) as service:
        assert (await tell(let_in(kind, service.url, "other"))).failure is Failure.UNAUTHORIZED
