import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.keys import KeyKind
from app.operations.instance import adopt_instance, begin_instance, recognise_instance
from app.operations.workspaces import OpenedWorkspace, open_workspace
from app.queries.instance import find_instance
from app.queries.workspaces import list_workspaces
from tests.conftest import _database

NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def begin(engine: Engine) -> OpenedWorkspace | None:
    async with engine.write() as tx:
        return await begin_instance(tx, now=NOW)


async def test_the_first_start_makes_this_the_databases_home(own_engine: Engine) -> None:
    async with own_engine.write() as tx:
        assert await find_instance(tx) is None
        first = await recognise_instance(tx, now=NOW)
        assert (first.is_at_home, first.generation, first.adopted_at) == (True, 1, NOW)
        assert await recognise_instance(tx, now=NOW + timedelta(days=1)) == first


async def test_a_copy_is_not_at_home_until_it_is_adopted(
    own_engine: Engine, own_database_url: str, server_url: str
) -> None:
    async with own_engine.write() as tx:
        original = await recognise_instance(tx, now=NOW)
    await own_engine.raw.dispose()  # PostgreSQL copies only databases that nobody is in
    original_name = urlsplit(own_database_url).path.removeprefix("/")
    async with _database(server_url, "a_copy", template=original_name) as url:
        copy = Engine(url)
        async with copy.write() as tx:
            assert not (await recognise_instance(tx, now=NOW)).is_at_home
            adopted = await adopt_instance(tx, now=NOW + timedelta(days=1))
            assert (adopted.is_at_home, adopted.id, adopted.generation) == (True, original.id, 2)
            assert await adopt_instance(tx, now=NOW + timedelta(days=2)) == adopted
        await copy.close()
    async with own_engine.write() as tx:
        assert await recognise_instance(tx, now=NOW) == original


@pytest.mark.parametrize("statement", [
    "UPDATE instance SET fingerprint = '1' || fingerprint",  # another server's identifier
    "SET zeroten.directory = '/elsewhere'",
])  # fmt: skip
async def test_another_server_and_another_directory_are_another_home(own_engine: Engine, statement: str) -> None:
    async with own_engine.write() as tx:
        await recognise_instance(tx, now=NOW)
        await tx.execute(text(statement))
        assert not (await recognise_instance(tx, now=NOW)).is_at_home


async def test_the_first_start_opens_a_workspace_and_later_ones_do_not(own_engine: Engine) -> None:
    opened = await begin(own_engine)
    assert opened is not None
    assert await begin(own_engine) is None
    async with own_engine.read() as tx:
        assert {row["id"] for row in await list_workspaces(tx)} == {opened.live_id, opened.test_id}


async def test_processes_that_start_together_open_one_workspace(own_engine: Engine) -> None:
    opened = await asyncio.gather(*(begin(own_engine) for _ in range(4)))
    assert sum(one is not None for one in opened) == 1


async def test_who_already_has_a_workspace_gets_no_other(own_engine: Engine) -> None:
    async with own_engine.write() as tx:
        await open_workspace(tx, "Mine", time_zone="UTC", now=NOW)
    assert await begin(own_engine) is None


async def test_a_new_workspace_has_a_key_of_each_kind_for_live_and_test(own_engine: Engine) -> None:
    async with own_engine.write() as tx:
        opened = await open_workspace(tx, "Mine", time_zone="Europe/Berlin", now=NOW)
        stored = (await tx.execute(text("SELECT kind, workspace_id, scopes, allowed_origins FROM api_keys"))).all()
    prefixes = ["zt_sk_live_", "zt_pk_live_", "zt_sk_test_", "zt_pk_test_"]
    assert [key.token[:11] for key in opened.keys] == prefixes
    assert {(KeyKind(row.kind), row.workspace_id, *row.scopes, *row.allowed_origins) for row in stored} == {
        (kind, workspace_id, "*") for kind in KeyKind for workspace_id in (opened.live_id, opened.test_id)
    }
