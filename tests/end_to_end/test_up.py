"""The whole service, started, killed, refused and stopped as an operator would see it."""

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.embedded.waiting import wait_until
from tests.cli.command import zeroten
from tests.conftest import _database
from tests.db.embedded_places import a_place, is_running
from tests.end_to_end.service import STARTS_SECONDS, STOPS_SECONDS, Service, command_line, up

pytestmark = pytest.mark.slow

ORPHANS_END_SECONDS = 3.0
RESTARTED_SECONDS = 30.0
RESTARTED = "a process ended; starting it again"
NOTHING_IS_SENT = "this database was restored or copied here: nothing is sent"
ADOPTED = "this database has been adopted: sending"
DATABASE_RESTARTED = "PostgreSQL ended; it has been started again"


class Installation:
    """A directory, what its first start said, and whoever serves it now: starting takes seconds, so it is shared."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.first = self._current = self._start()
        self.stop()

    def _start(self) -> Service:
        service = Service(self.directory)
        service.until_ready()
        return service

    def running(self) -> Service:
        if self._current.has_ended:
            self._current = self._start()
        return self._current

    def stop(self) -> None:
        self._current.stop()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with a_place() as place:
        installation = Installation(place / "zeroten")
        yield installation
        installation.stop()


@pytest.fixture
def first_start(installation: Installation) -> Service:
    return installation.first


@pytest.fixture
def service(installation: Installation) -> Service:
    """A later start than the first."""
    return installation.running()


@pytest.fixture
def stopped(installation: Installation) -> Path:
    """The directory, which nobody serves."""
    installation.stop()
    return installation.directory


def test_the_first_start_prints_a_key_of_each_kind_and_no_later_one_does(first_start: Service, service: Service):
    kinds = [(kind, mode) for kind in ("secret", "publishable") for mode in ("live", "test")]
    assert sorted(first_start.keys) == sorted(kinds)
    assert len(set(first_start.keys.values())) == 4
    assert service.keys == {}
    assert not any(key in service.said for key in first_start.keys.values())


def test_what_the_first_start_made_is_there_after_the_second(first_start: Service, service: Service):
    for mode in ("live", "test"):
        reply = service.ask("/v1/workspace", first_start.keys["secret", mode])
        assert (reply.status_code, reply.json()["mode"]) == (200, mode)


def test_the_secret_keys_lie_beside_the_data_for_nobody_else_to_read(first_start: Service):
    file = first_start.directory / "secret-keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first_start.said.count(file.read_text().strip()) == 0


def test_no_secret_stands_in_a_command_line(service: Service):
    secrets = [(service.directory / name).read_text().strip() for name in ("password", "secret-keys")]
    everybody = service.everybody()
    assert len(everybody) > 3
    for pid in everybody:
        assert not any(secret in word for secret in secrets for word in command_line(pid))


def test_ctrl_c_stops_everybody_in_order(service: Service):
    everybody, ended_before = service.everybody(), service.log(RESTARTED)
    os.killpg(service.process.pid, signal.SIGINT)
    assert service.process.wait(STOPS_SECONDS) == 0, service.said
    assert [pid for pid in everybody if is_running(pid)] == []
    assert service.log(RESTARTED) == ended_before
    order = ["stopping", "api stopped", "worker stopped", "PostgreSQL stopped"]
    assert sorted(order, key=lambda event: service.log(event)[0]["timestamp"]) == order


def test_a_stop_is_no_failure(first_start: Service):
    """It was told by SIGTERM."""
    assert first_start.process.returncode == 0
    assert not first_start.log(RESTARTED)


def test_killed_it_leaves_no_orphan_and_starts_again(service: Service, installation: Installation):
    everybody = service.everybody()
    service.process.kill()
    service.process.wait()
    assert wait_until(lambda: not any(map(is_running, everybody)), seconds=ORPHANS_END_SECONDS), [
        command_line(pid) for pid in everybody if is_running(pid)
    ]
    again = installation.running()
    assert again.ask("/v1/workspace", installation.first.keys["secret", "live"]).status_code == 200


def test_a_killed_api_is_started_again_and_who_calls_meanwhile_waits(service: Service):
    killed = service.child("api")
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert service.ask("/readyz").status_code == 200
    assert service.child("api") not in {None, killed}
    assert service.log(RESTARTED)[-1]["child"] == "api"


def test_a_killed_worker_is_started_again(service: Service):
    assert not service.log(NOTHING_IS_SENT)
    killed = service.child("worker")
    starts = len(service.log("worker started"))
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: len(service.log("worker started")) > starts, seconds=RESTARTED_SECONDS), service.said
    assert service.child("worker") not in {None, killed}


def test_a_killed_database_is_started_again(service: Service, first_start: Service):
    killed = service.server()
    os.kill(killed, signal.SIGKILL)
    assert wait_until(lambda: bool(service.log(DATABASE_RESTARTED)), seconds=RESTARTED_SECONDS), service.said
    assert service.server() != killed
    assert wait_until(lambda: service.ask("/readyz").status_code == 200, seconds=RESTARTED_SECONDS)
    assert service.ask("/v1/workspace", first_start.keys["secret", "live"]).status_code == 200


def test_a_second_start_in_the_same_directory_is_refused_and_harms_nobody(service: Service):
    with up(service.directory) as second:
        assert second.process.wait(STARTS_SECONDS) == 1
        refused = f"zeroten: {service.directory} is already served by process {service.process.pid}."
        assert refused in second.err.read_text()
        assert "Traceback" not in second.said
    assert service.ask("/readyz").status_code == 200


def test_a_taken_port_is_refused_and_nothing_is_left_running(stopped: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with up(stopped, ZEROTEN_PORT=port) as service:
            assert service.process.wait(STARTS_SECONDS) == 1
            assert f"zeroten: Port {port} of 127.0.0.1 is taken by another program." in service.err.read_text()
            assert service.log("PostgreSQL stopped")


def test_lost_secret_keys_are_not_replaced_in_silence(stopped: Path):
    file = stopped / "secret-keys"
    set_aside = file.rename(stopped / "set-aside")
    try:
        with up(stopped) as service:
            assert service.process.wait(STARTS_SECONDS) == 1
            assert f"zeroten: {file} is missing" in service.err.read_text()
        assert not file.exists()
    finally:
        set_aside.rename(file)


def test_a_copy_of_the_directory_sends_nothing_until_it_is_adopted(stopped: Path):
    with a_place() as place:
        subprocess.run(["cp", "-a", str(stopped), str(place / "copy")], check=True)
        with up(place / "copy") as copy:
            copy.until_ready()
            assert wait_until(lambda: bool(copy.log(NOTHING_IS_SENT)), seconds=RESTARTED_SECONDS), copy.said
            assert copy.keys == {}
            assert zeroten("adopt", ZEROTEN_DATA_DIRECTORY=str(place / "copy")).returncode == 0
            assert wait_until(lambda: bool(copy.log(ADOPTED)), seconds=RESTARTED_SECONDS), copy.said


async def test_somebody_elses_database_is_migrated_and_served(server_url: str):
    async with _database(server_url, f"theirs_{os.getpid()}") as url:
        with a_place() as place, up(place / "keys", ZEROTEN_DATABASE_URL=url) as service:
            service.until_ready()
            assert service.ask("/v1/workspace", service.keys["secret", "live"]).status_code == 200
            assert sorted(path.name for path in (place / "keys").iterdir()) == ["lock", "secret-keys"]
