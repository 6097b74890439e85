"""Importing people: uploaded, checked, merged and reported on, against COPY of the same file into the same table."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter
from uuid import UUID

import asyncpg

from bench import requests
from bench.client import Client, connected
from bench.figures import Figures, Findings, Spread, ratio
from bench.processes import Program, family_cpu_seconds, peak_megabytes
from bench.rounds import Contestant, Plan, Watch, take_turns
from bench.stage import Stage

OWN_COLUMNS, MORE_COLUMNS = ("external_id", "email", "name", "locale"), ("plan", "country", "seats")
PLANS, COUNTRIES = ("free", "pro", "team"), ("DE", "FR", "US", "BR", "JP")
PATIENCE_SECONDS = 600.0

Peaks = dict[str, list[float]]  # in MB, by process, a figure for each round


async def measure_imports(stage: Stage, plan: Plan, rows: Collection[str], say: Callable[[str], None]) -> Findings:
    file = _write_people(stage.directory / "people.csv", plan.import_rows)
    peaks: Peaks = {"api": [], "worker": [], "importer": []}
    contestants = {
        "import": _importing(stage, file, plan.import_rows, peaks),
        "COPY": _copying(stage, file, plan.import_rows),
    }
    rounds = await take_turns(contestants, plan, say, warm_up=False)
    found = {"import_vs_copy": ratio(rounds, "import", "COPY"), "import_memory": Spread.of(peaks["importer"])}
    remark = (
        f"import_memory: the process that imports; beside it the worker had {max(peaks['worker']):.0f} MB and the API, "
        f"which takes the upload, {max(peaks['api']):.0f} MB"
    )
    return Findings({row: found[row] for row in rows}, rounds, remarks=[remark])


def _write_people(path: Path, count: int) -> Path:
    with path.open("w") as file:
        file.write(",".join((*OWN_COLUMNS, *MORE_COLUMNS)) + "\n")
        for n in range(count):
            plan, country = PLANS[n % 3], COUNTRIES[n % 5]
            file.write(f"user-{n:07},person.{n}@example.com,Person Number {n},en,{plan},{country},{n % 40}\n")
    return path


def _importing(stage: Stage, file: Path, count: int, peaks: Peaks) -> Contestant:
    async def run(_: float) -> Figures:
        async with stage.database("bench_import") as url, stage.api(url) as api, stage.worker(url) as worker:
            of_worker = partial(family_cpu_seconds, worker.pid)  # with the process that imports
            watch = Watch(api=api.cpu_seconds, worker=of_worker, postgres=stage.postgres_cpu_seconds)
            started_at = perf_counter()
            async with connected(api.port) as client:
                peaks["importer"].append(await _import(client, stage.tenant.token, file, count, worker))
            took = perf_counter() - started_at
            peaks["api"].append(api.peak_megabytes())
            peaks["worker"].append(worker.peak_megabytes())
            return Figures(count / took, cpu_us=watch.cpu_us(count))

    return run


async def _import(client: Client, token: str, file: Path, count: int, worker: Program) -> float:
    """From the first byte of the upload to the end of the job. Returns the peak of the process that imports, in MB.

    The kernel keeps the peak, so looking now and then misses only the last moment of it.
    """
    peak = 0.0
    head = requests.upload("/v1/imports/recipients", file.stat().st_size, token)
    job = await client.send_file(head, file)
    deadline = monotonic() + PATIENCE_SECONDS
    while job["state"] not in {"completed", "failed"} and monotonic() < deadline:
        await asyncio.sleep(0.05)
        peak = max(peak, *map(peak_megabytes, worker.children()), 0.0)
        job = await client.send(requests.get(f"/v1/imports/{job['id']}", token))
    if job["state"] != "completed" or job["rows"]["created"] != count:
        raise RuntimeError(f"the import did not go well: {job}")
    return peak


def _copying(stage: Stage, file: Path, count: int) -> Contestant:
    """Into our own table with all its indexes and checks, which COPY only needs columns and defaults for."""

    async def run(_: float) -> Figures:
        async with stage.database("bench_copy") as url:
            connection = await asyncpg.connect(url)
            new_id = "uuidv7()" if connection.get_server_version().major >= 18 else "gen_random_uuid()"
            await connection.execute(_ready_for_copy(stage.tenant.workspace_id, new_id))
            watch, started_at = Watch(postgres=stage.postgres_cpu_seconds), perf_counter()
            with file.open("rb") as source:
                columns = (*OWN_COLUMNS, *MORE_COLUMNS)
                await connection.copy_to_table("recipients", source=source, columns=columns, format="csv", header=True)
            took = perf_counter() - started_at
            await connection.close()
            return Figures(count / took, cpu_us=watch.cpu_us(count))

    return run


def _ready_for_copy(workspace_id: UUID, new_id: str) -> str:
    more = ", ".join(f"ADD COLUMN {column} text" for column in MORE_COLUMNS)
    return f"""
        ALTER TABLE recipients ALTER COLUMN workspace_id SET DEFAULT '{workspace_id}',
        ALTER COLUMN id SET DEFAULT {new_id}, {more}
    """
