"""Migrations lead to the tables that the code describes, and back."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, inspect, text

from app.db.engine import Engine
from app.db.migrations import configuration, migrate, pending_migrations
from app.db.tables import metadata
from tests.conftest import _database

# Everything that makes a table what it is, as PostgreSQL would write it. Partitions come and go by the month.
SCHEMA = """
    WITH ours AS (
        SELECT oid, relname, reloptions FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
            AND relname <> 'alembic_version'
    )
    SELECT relname || ' with ' || coalesce((SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(reloptions) o), 'nothing')
    FROM ours
    UNION ALL
    SELECT format('%s.%s %s%s default %s', relname, attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' not null' ELSE '' END, coalesce(pg_get_expr(adbin, adrelid), 'none'))
    FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT format('%s: %s %s', relname, conname, pg_get_constraintdef(c.oid))
    FROM ours JOIN pg_constraint c ON c.conrelid = ours.oid WHERE contype <> 'n'
    UNION ALL
    SELECT pg_get_indexdef(indexrelid) FROM ours JOIN pg_index i ON i.indrelid = ours.oid
    UNION ALL
    SELECT relname || ' by ' || pg_get_partkeydef(partrelid)
    FROM ours JOIN pg_partitioned_table p ON p.partrelid = ours.oid
"""
FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


@pytest.fixture
async def empty(server_url: str) -> AsyncIterator[Engine]:
    async with _database(server_url, f"empty_{uuid4().hex[:8]}") as url:
        engine = Engine(url)
        yield engine
        await engine.close()


async def schema(engine: Engine) -> set[str]:
    async with engine.read() as tx:
        return set((await tx.execute(text(SCHEMA))).scalars())


async def downgrade(engine: Engine) -> None:
    async with engine.raw.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(configuration(sync), "base"))


async def test_there_is_one_head_and_one_base(own_engine: Engine) -> None:
    async with own_engine.raw.connect() as connection:
        scripts = await connection.run_sync(lambda sync: ScriptDirectory.from_config(configuration(sync)))
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


async def test_up_down_and_up_again(empty: Engine) -> None:
    await migrate(empty)
    first = await schema(empty)
    await downgrade(empty)
    assert await schema(empty) == set()
    async with empty.read() as tx:
        assert (await tx.execute(text(FUNCTIONS))).all() == []
    assert await pending_migrations(empty)
    await migrate(empty)
    assert await schema(empty) == first
    assert not await pending_migrations(empty)


async def test_the_tables_of_the_code_are_those_of_the_migrations(empty: Engine, own_engine: Engine) -> None:
    """Down to checks, defaults, partial indexes and fill factors, which Alembic does not compare."""
    async with empty.raw.begin() as connection:
        await connection.run_sync(metadata.create_all)
    described, migrated = await schema(empty), await schema(own_engine)
    assert {"only in app/db/tables": described - migrated, "only in migrations": migrated - described} == {
        "only in app/db/tables": set(),
        "only in migrations": set(),
    }


async def test_alembic_finds_nothing_to_add(own_engine: Engine) -> None:
    async with own_engine.raw.connect() as connection:
        assert await connection.run_sync(_differences) == []


def _differences(connection: Connection) -> list[object]:
    def is_ours(_object: object, name: str | None, kind: str, is_reflected: bool, _: object) -> bool:
        return not (kind == "table" and is_reflected and ("_p20" in str(name) or "_default" in str(name)))

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_object": is_ours}), metadata))


async def test_two_processes_that_start_together_migrate_once(empty: Engine) -> None:
    environment = {**os.environ, "ZEROTEN_DATABASE_URL": empty.url}
    command_line = (sys.executable, "-m", "app.cli", "migrate")
    both = [
        await asyncio.create_subprocess_exec(*command_line, env=environment, stdout=PIPE, stderr=STDOUT) for _ in "12"
    ]
    said = [(await process.communicate())[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert not await pending_migrations(empty)


# What belongs to no tenant, or has to be found before the tenant is known.
NOBODYS = {"workspaces", "instance", "instance_keys", "alembic_version"}
FOUND_BY = {(table, ("token_hash",)) for table in ("api_keys", "dashboard_sessions", "invitations")}
FOUND_BY |= {("mail_sources", ("key_hash",)), ("invitations", ("unsubscribe_hash",))}


async def test_every_key_of_a_tenants_table_begins_with_the_tenant(own_engine: Engine) -> None:
    """Isolation, and what the tables would be spread over machines by."""
    async with own_engine.raw.connect() as connection:
        keys = await connection.run_sync(lambda sync: _keys(inspect(sync)))
    assert len(keys) > 40
    strays = [key for key in keys if key[1][0] != "workspace_id" and key not in FOUND_BY]
    assert strays == []


def _keys(inspector: Inspector) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for table in sorted(set(metadata.tables) - NOBODYS):
        columns = [tuple(inspector.get_pk_constraint(table)["constrained_columns"])]
        columns += [tuple(key["constrained_columns"]) for key in inspector.get_foreign_keys(table)]
        columns += [tuple(map(str, index["column_names"])) for index in inspector.get_indexes(table) if index["unique"]]
        found += [(table, names) for names in columns]
    return found
