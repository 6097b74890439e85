"""Years of asking on a simulated clock. See `python -m tests.simulation --help`; the exit status is 1 on any fault."""

import asyncio
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from random import SystemRandom
from time import monotonic

from app.db.embedded import EmbeddedPostgres
from app.db.engine import Engine
from app.db.migrations import migrate
from tests.conftest import TEST_SETTINGS
from tests.simulation.audit import CHECKS, Wrong, campaign_of
from tests.simulation.run import Record, simulate


def main() -> int:
    parser = ArgumentParser(
        prog="simulation", description="Ask people for years while workers race and die, and count."
    )
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="of every random choice")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    started = monotonic()
    with tempfile.TemporaryDirectory(prefix="zeroten-simulation-") as directory:
        Path(directory).chmod(0o711)  # as root, PostgreSQL runs as somebody else and has to get in
        with EmbeddedPostgres(directory=Path(directory) / "data", settings=TEST_SETTINGS) as server:
            record = asyncio.run(_simulate(server.url, arguments.people, arguments.days, arguments.seed))
    print(f"{record.ticks} moments in {monotonic() - started:.0f} s, {record.kills} kills")
    _tell(record)
    return _judge(record)


async def _simulate(url: str, people: int, days: int, seed: int) -> Record:
    engine = Engine(url, pool_size=8)
    await migrate(engine)
    try:
        return await simulate(engine, people=people, days=days, seed=seed, say=lambda what: print(what, flush=True))
    finally:
        await engine.close()


def _tell(record: Record) -> None:
    mails = Counter(campaign_of(record, mail) for mail in record.mails)
    for name, count in sorted(mails.items()):
        ends = Counter(
            row["skip_reason"] or row["state"]
            for row in record.invitations
            if record.world.names[row["campaign_id"]] == name
        )
        print(f"{name}: {count} mails; " + ", ".join(f"{end} {times}" for end, times in ends.most_common()))


def _judge(record: Record) -> int:
    found: dict[str, Wrong] = {check.__name__: check(record) for check in CHECKS}
    for name, wrong in found.items():
        print(f"{name}: {len(wrong)}" + "".join(f"\n    {example}" for example in wrong[:3]))
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
