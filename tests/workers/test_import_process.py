"""The process that imports: it comes when one is due, goes when none is left, and may die at any time."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from app.config import Settings
from app.workers import import_process
from app.workers.import_process import work_off_imports
from tests.cli.command import environment
from tests.conftest import SECRET_KEYS
from tests.workers.scene import LOOK_EVERY_SECONDS, Scene, until

CSV = {"content-type": "text/csv"}
MANY = 20_000  # some seconds of work, so that there is time to interfere

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]


async def upload(scene: Scene, count: int = MANY) -> str:
    people = "external_id,email,plan\n" + "".join(f"{at:06},p{at}@example.com,pro\n" for at in range(count))
    reply = await scene.tenant.api.post("/v1/imports/recipients", content=people, headers=CSV)
    assert reply.status_code == 202, reply.text
    return str(reply.json()["id"])


async def how_far(scene: Scene, job: str) -> Any:
    return await scene.get(f"/v1/imports/{job}")


async def until_begun(scene: Scene) -> None:
    """A process that has to start first takes its time on a busy machine."""
    has_begun = "SELECT count(*) > 0 FROM imports WHERE rows_read > 0"
    await until(lambda: scene.database.fetchval(has_begun), seconds=60)


async def check_complete(scene: Scene, job: str, count: int = MANY) -> None:
    done = await how_far(scene, job)
    assert (done["state"], done["failure"]) == ("completed", None)
    assert done["rows"] == {"read": count, "created": count, "updated": 0, "unchanged": 0, "rejected": 0}
    assert await scene.database.fetchval("SELECT count(*) FROM recipients") == count


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def importers(parent: int | None = None) -> list[int]:
    found = children(parent or os.getpid())
    return [pid for pid in found if b"app.workers.importer" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def peak_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


async def test_without_an_import_there_is_no_process(scene: Scene) -> None:
    started = asyncio.create_task(work_off_imports(scene.engine, scene.settings()))
    while not started.done():
        assert importers() == []
        await asyncio.sleep(0)
    await started


async def test_a_worker_imports_in_a_process_that_ends_with_the_work(scene: Scene) -> None:
    first, second = await upload(scene, 100), await upload(scene, 100)
    scene.work()
    await until(lambda: scene.database.fetchval("SELECT count(*) = 1 FROM imports WHERE rows_unchanged = 100"))
    assert (await how_far(scene, first))["rows"]["created"] == 100
    assert (await how_far(scene, second))["rows"]["unchanged"] == 100

    async def are_gone() -> bool:
        await asyncio.sleep(0)
        return importers() == []

    await until(are_gone)


async def test_importing_takes_less_than_a_hundred_megabytes(scene: Scene) -> None:
    await upload(scene)
    importing = asyncio.create_task(work_off_imports(scene.engine, scene.settings()))
    await until_begun(scene)
    peak = 0.0
    while not importing.done():
        with suppress(FileNotFoundError, ProcessLookupError, StopIteration):
            peak = max(peak, *map(peak_megabytes, importers()), 0.0)
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    await importing
    assert 40 < peak <= 100


async def test_a_killed_import_is_told_of_once_and_gone_on_with(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_process, "PAUSE_SECONDS", 0.0)
    job = await upload(scene)
    with structlog.testing.capture_logs() as said:
        importing = asyncio.create_task(work_off_imports(scene.engine, scene.settings()))
        await until_begun(scene)
        (pid,) = importers()
        os.kill(pid, signal.SIGKILL)
        await importing
    (line,) = said
    assert (line["log_level"], line["status"]) == ("error", -signal.SIGKILL)
    assert (await how_far(scene, job))["state"] == "running"
    await until(lambda: scene.database.fetchval("SELECT lease_until < clock_timestamp() FROM imports"))
    await work_off_imports(scene.engine, scene.settings())
    await check_complete(scene, job)


async def test_an_import_is_given_back_by_whoever_is_stopped(scene: Scene) -> None:
    settings = scene.settings(lease_seconds=600.0)
    job = await upload(scene)
    importing = asyncio.create_task(work_off_imports(scene.engine, settings))
    await until_begun(scene)
    (pid,) = importers()
    importing.cancel()
    with suppress(asyncio.CancelledError):
        await importing
    assert is_gone(pid)
    left = await how_far(scene, job)
    assert (left["state"], left["rows"]["read"] < MANY) == ("running", True)
    await work_off_imports(scene.engine, settings)
    await check_complete(scene, job)


async def test_two_workers_do_not_import_the_same_file_twice(scene: Scene) -> None:
    job = await upload(scene, 4_000)
    await asyncio.gather(*(work_off_imports(scene.engine, scene.settings()) for _ in range(2)))
    await check_complete(scene, job, 4_000)
    assert await scene.database.fetchval("SELECT count(*) FROM events WHERE type = 'import.completed'") == 1


async def test_no_process_starts_for_what_another_is_importing(scene: Scene) -> None:
    await upload(scene, 10)
    await upload(scene, 10)
    await scene.database.execute(
        "UPDATE imports SET state = 'running', claim_id = gen_random_uuid(), lease_until = now() + interval '1 hour'"
        " WHERE id = (SELECT min(id::text)::uuid FROM imports)"
    )
    await test_without_an_import_there_is_no_process(scene)


async def test_what_went_wrong_is_said_by_the_process_alone(
    scene: Scene, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_process, "PAUSE_SECONDS", 0.0)
    await upload(scene, 10)
    await scene.database.execute("ALTER TABLE import_chunks RENAME TO chunks_elsewhere")
    with structlog.testing.capture_logs() as said_by_us:
        await work_off_imports(scene.engine, scene.settings(log_format="json"))
    assert said_by_us == []
    assert capfd.readouterr().err.count('"event": "a step failed; trying again"') == 1


async def test_a_killed_worker_takes_its_import_along(scene: Scene, tmp_path: Path) -> None:
    """The worker is a process of its own here, as in production."""
    job = await upload(scene)
    worker = start_worker(scene.settings(), tmp_path / "worker.log")
    try:
        await until_begun(scene)
        (pid,) = importers(worker.pid)
        worker.kill()
        worker.wait()

        async def has_ended() -> bool:
            await asyncio.sleep(0)
            return is_gone(pid)

        await until(has_ended)
    finally:
        worker.kill()
        worker.wait()
    assert (await how_far(scene, job))["state"] == "running"
    await until(lambda: scene.database.fetchval("SELECT lease_until < clock_timestamp() FROM imports"))
    await work_off_imports(scene.engine, scene.settings())
    await check_complete(scene, job)


def start_worker(settings: Settings, log: Path) -> "subprocess.Popen[bytes]":
    assert settings.database_url is not None
    given = {name: str(getattr(settings, name)) for name in ("lease_seconds", "least_lease_seconds")}
    given |= {"attempt_deadline_seconds": str(settings.attempt_deadline_seconds), "secret_keys": SECRET_KEYS}
    given |= {"database_url": settings.database_url.get_secret_value()}
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", "worker"],
            env=environment(**{f"ZEROTEN_{name}".upper(): value for name, value in given.items()}),
            stdin=subprocess.DEVNULL,
            stderr=output,
        )
