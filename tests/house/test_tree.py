"""What must not be in the repository, whoever put it there."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT_BYTES = 2_000_000  # larger files are samples, not prose or code

# Put together here, so that this file does not find itself.
FORBIDDEN: Mapping[str, str] = {
    "an unfinished thought": r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK|XX" + r"X)\b",
    "the address of a package index": r"(?:files\.)?py"
    + r"thonhosted\.org|py"
    + r"pi\.org|registry\.n"
    + r"pmjs|crates"
    + r"\.io",
    "a directory of somebody's machine": r"/(?:ho" + r"me|Us" + r"ers)/(?!amy/)[a-z][\w.-]+/",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIV" + r"ATE KEY-----",
    "a key of a cloud": r"\bAK" + r"IA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bsk_li" + r"ve_[A-Za-z0-9]{16}",
    "an API key of ours": r"\bzt_(?:sk|pk)_(?:live|test)_[A-Za-z0-9_-]{32}\b",
    "a conflict of a merge": r"^(?:<<<<<<<|>>>>>>>) ",
}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what].encode(), re.MULTILINE)
    found = []
    for path in tracked():
        if path.is_file() and path.stat().st_size < TEXT_BYTES:
            content = path.read_bytes()
            found += [f"{path.relative_to(ROOT)}: {match[0].decode()}" for match in pattern.finditer(content)]
    assert found == []


def test_nowhere_is_the_place_where_it_was_written() -> None:
    if len(ROOT.parts) < 3:
        pytest.skip("a path as short as this means nothing")
    listed = [path for path in tracked() if path.is_file() and path.stat().st_size < TEXT_BYTES]
    assert [path for path in listed if f"{ROOT}/".encode() in path.read_bytes()] == []


def test_what_is_made_by_tools_is_not_tracked() -> None:
    made = re.compile(
        r"(^|/)(__pycache__|\.venv|\.mypy_cache|\.ruff_cache|\.pytest_cache|\.hypothesis|node_modules)(/|$)|\.pyc$"
    )
    assert [str(path) for path in tracked() if made.search(str(path.relative_to(ROOT)))] == []


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "GLOSSARY.md", "README.md"])
def test_files_that_the_pages_name_are_there(page: str) -> None:
    named = set(re.findall(r"`([a-z_]+/[\w/.-]+\.py)`", (ROOT / page).read_text(encoding="utf-8")))
    assert {path for path in named if not ((ROOT / path).exists() or (ROOT / "app" / path).exists())} == set()
