import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment
from tests.db.embedded_places import a_place

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_tells_its_story_and_leaves_nothing_behind() -> None:
    with a_place() as place:
        said = subprocess.run(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env=environment(ONCE="1", TMPDIR=str(place)),
            capture_output=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )
        assert list(place.iterdir()) == []
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stderr == ""
    imported = "3,000 recipients imported, 0 rows refused"
    for what in (imported, "standardwebhooks", "were asked by mail", "NPS +", "n = 2,062"):
        assert what in said.stdout
    assert said.stdout.splitlines()[-1] == "✓ zeroten doctor: rollups: exact"
