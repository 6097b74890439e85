"""Whatever is killed, and whenever: nothing that was acknowledged is lost, and nothing is done twice."""

import asyncio
import re
import sys

import pytest

from tests.end_to_end.crash.stage import LEASE_SECONDS

pytestmark = pytest.mark.slow

KILLS = 20
# On top of the lease: the longest that a loop waits before it tries a lost database again, a poll, and a busy machine.
SLACK_SECONDS = 4.0
LINE = re.compile(
    r"kills=(?P<kills>\d+) acked=(?P<acked>\d+) lost=(?P<lost>\d+) doubled=(?P<doubled>\d+) "
    r"changed_id=(?P<changed_id>\d+) slowest_recovery_s=(?P<slowest>\d+\.\d+)"
)


async def test_kills_at_random_moments_under_load_lose_and_double_nothing() -> None:
    """The output begins with the seed of all that was random."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.end_to_end.crash", "--kills", str(KILLS), "--minutes", "1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    said = output.decode()
    found = LINE.fullmatch(said.strip().splitlines()[-1])
    assert found is not None, said
    assert process.returncode == 0, said
    assert (found["lost"], found["doubled"], found["changed_id"]) == ("0", "0", "0"), said
    assert int(found["kills"]) >= KILLS, said
    assert int(found["acked"]) > 100, said
    assert float(found["slowest"]) < LEASE_SECONDS + SLACK_SECONDS, said
