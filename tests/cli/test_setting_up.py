"""Migrations, workspaces, keys and adoption, on the command line and against a real database."""

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.queries.instance import find_instance
from tests.cli.command import here, zeroten
from tests.conftest import SECRET_KEYS, Tenant, _database, client, running_app

pytestmark = pytest.mark.slow

Said = subprocess.CompletedProcess[str]


@pytest.fixture
async def empty_database_url(server_url: str) -> AsyncIterator[str]:
    async with _database(server_url, f"empty_{uuid4().hex[:8]}") as url:
        yield url


def on(url: str, *words: str) -> Said:
    run = zeroten if words[0] in {"migrate", "api", "worker"} else here
    return run(*words, ZEROTEN_DATABASE_URL=url, ZEROTEN_SECRET_KEYS=SECRET_KEYS)


def refusal(said: Said) -> str:
    """One line, status 1, and no traceback."""
    assert said.returncode == 1, said
    assert said.stderr.startswith("zeroten: ")
    assert said.stderr.count("\n") == 1, said.stderr
    return said.stderr


def test_a_new_database_is_migrated_and_again_does_no_harm(empty_database_url: str):
    assert on(empty_database_url, "migrate").stdout == "The database has been brought up to date.\n"
    again = on(empty_database_url, "migrate")
    assert (again.stdout, again.stderr) == ("The database is up to date.\n", "")


def test_nobody_serves_or_fills_a_database_that_is_not_migrated(empty_database_url: str):
    for words in (("api",), ("workspace", "list"), ("adopt",)):
        assert "Run `zeroten migrate` first." in refusal(on(empty_database_url, *words))


async def test_a_new_workspace_comes_with_keys_that_work(own_database_url: str):
    said = on(own_database_url, "workspace", "create", "Müller & Söhne", "--time-zone", "Europe/Berlin").stdout
    tokens = re.findall(r"zt_\wk_\w{4}_[\w-]{32}", said)
    assert len(tokens) == 4
    async with running_app(own_database_url) as app, client(app, tokens[0]) as api:
        found = (await api.get("/v1/workspace")).json()
        assert (found["name"], found["mode"], found["time_zone"]) == ("Müller & Söhne", "live", "Europe/Berlin")
    listed = on(own_database_url, "workspace", "list").stdout
    assert re.findall(r"ws_\w{32}", said) == re.findall(r"ws_\w{32}", listed)


def test_an_unknown_time_zone_is_refused_and_nothing_is_made(own_database_url: str):
    assert "IANA" in refusal(on(own_database_url, "workspace", "create", "Mars", "--time-zone", "Mars/Olympus"))
    assert "Mars" not in on(own_database_url, "workspace", "list").stdout


async def test_a_new_key_may_do_what_it_was_made_for(alice: Tenant, database_url: str, engine: Engine):
    workspace = f"ws_{alice.test_workspace_id.hex}"
    scopes = "scores:read,campaigns:read"
    made = on(database_url, "key", "create", "--workspace", workspace, "--scopes", scopes, "--days", "1")
    assert re.fullmatch(r"zt_sk_test_[\w-]{32}\n", made.stdout), made
    row = await key_row(engine, made.stdout)
    assert row.scopes == ["scores:read", "campaigns:read"]
    assert (row.expires_at - row.created_at).days == 1


async def test_a_publishable_key_works_where_it_was_made_for(alice: Tenant, database_url: str, engine: Engine):
    workspace = f"ws_{alice.workspace_id.hex}"
    origins = "https://Shop.example:443, http://localhost:3000"
    made = on(database_url, "key", "create", "--workspace", workspace, "--kind", "publishable", "--origins", origins)
    assert made.stdout.startswith("zt_pk_live_")
    assert (await key_row(engine, made.stdout)).allowed_origins == ["https://shop.example", "http://localhost:3000"]


async def key_row(engine: Engine, token: str):
    async with engine.read() as tx:
        query = text("SELECT * FROM api_keys WHERE token_hash = sha256(convert_to(:token, 'UTF8'))")
        return (await tx.execute(query, {"token": token.strip()})).one()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--workspace", "ws_" + "0" * 32), "There is no workspace ws_00"),
        (("--workspace", "Alice"), "There is no workspace Alice"),
        (("--scopes", "scores:read,everything"), "There is no scope everything."),
        (("--scopes", ""), "needs at least one scope"),
        (("--kind", "publishable"), "names the origins"),
        (("--kind", "publishable", "--origins", "shop.example"), "should be scheme://host"),
        (("--days", "0"), "would expire before it exists"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(alice: Tenant, database_url: str, options: tuple[str, ...], reason: str):
    its = ("--workspace", f"ws_{alice.workspace_id.hex}")
    assert reason in refusal(on(database_url, "key", "create", *its, *options))


async def test_a_copied_database_is_adopted_once(own_database_url: str, own_engine: Engine):
    assert on(own_database_url, "adopt").stdout == "This database is at home here already.\n"
    async with own_engine.write() as tx:
        await tx.execute(text("UPDATE instance SET fingerprint = 'elsewhere'"))
    assert on(own_database_url, "adopt").stdout == "Adopted: from now on this database may send.\n"
    async with own_engine.read() as tx:
        found = await find_instance(tx)
        assert found is not None
        assert found.is_at_home


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ZEROTEN_DATABASE_URL": "mysql://root@localhost/x"}, "must start with postgresql://"),
        ({"ZEROTEN_DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "The database does not answer"),
        ({"ZEROTEN_PORT": "many"}, "ZEROTEN_PORT: "),
    ],
)
def test_a_setting_that_cannot_be_is_named_without_its_secrets(settings: dict[str, str], reason: str):
    said = refusal(here("adopt", **settings))
    assert reason in said
    assert "hidden" not in said


def test_without_any_database_the_way_to_one_is_told(tmp_path: Path):
    said = refusal(here("doctor", ZEROTEN_DATA_DIRECTORY=str(tmp_path)))
    assert "`zeroten up` makes it" in said
    assert "ZEROTEN_DATABASE_URL" in said


@pytest.mark.parametrize("keys", [{}, {"ZEROTEN_SECRET_KEYS": "short"}])
def test_no_process_starts_without_sound_secret_keys(own_database_url: str, tmp_path: Path, keys: dict[str, str]):
    place = {"ZEROTEN_DATABASE_URL": own_database_url, "ZEROTEN_DATA_DIRECTORY": str(tmp_path)}
    for verb in ("api", "worker"):
        said = refusal(zeroten(verb, **place, **keys))
        assert "ZEROTEN_SECRET_KEYS" in said
        assert "short" not in said


def test_the_api_describes_itself_without_a_database(tmp_path: Path):
    printed = zeroten("openapi").stdout
    assert printed.startswith("openapi: 3.1.0\n")
    assert here("openapi", "--write", str(tmp_path / "openapi.yaml")).returncode == 0
    assert (tmp_path / "openapi.yaml").read_text(encoding="utf-8") == printed
    refusal(here("openapi", "--write", str(tmp_path / "nowhere" / "openapi.yaml")))


@pytest.mark.parametrize("name", ["", "  ", "n" * 201, "\udcff"])
def test_a_workspace_is_named_as_in_the_api(own_database_url: str, name: str):
    assert "1 to 200 characters" in refusal(on(own_database_url, "workspace", "create", name))


def test_ids_of_workspaces_are_never_cut(own_database_url: str):
    on(own_database_url, "workspace", "create", "A name that is longer than any table has room for, by far")
    assert len(re.findall(r"ws_\w{32}", on(own_database_url, "workspace", "list").stdout)) == 2


def test_a_key_lasts_no_longer_than_the_calendar(own_database_url: str):
    said = on(own_database_url, "workspace", "create", "Long").stdout
    (workspace, *_) = re.findall(r"ws_\w{32}", said)
    made = on(own_database_url, "key", "create", "--workspace", workspace, "--days", "99999999")
    assert "at most 36500 days" in refusal(made)
