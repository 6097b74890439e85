"""What the sources look like, where neither the linter nor the import contracts can see it."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.problem_types import REFUSED_BY_HTTP

ROOT = Path(__file__).parents[2]
OURS = ("app", "bench", "demo", "migrations", "tests")
LONGEST_FILE, LONGEST_TEST_FILE, LONGEST_FUNCTION = 300, 400, 50

# Where a transaction begins and ends. Everybody else writes in their caller's.
MAY_BEGIN = {"app/db/engine.py", "app/db/lane.py"}
ENDS = {"begin", "commit", "rollback", "transaction"}
USES_A_LANE = {"app/workers/courier.py": {"transaction"}}  # the lane's own, which is where it begins

# What an ORM would bring: statements nobody wrote, at moments nobody chose.
NEVER = {"relationship", "AsyncSession", "Session", "sessionmaker", "async_sessionmaker", "declarative_base"}


def sources(*folders: str) -> Iterator[tuple[str, Path]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path


APP = [pytest.param(name, ast.parse(path.read_text()), id=name) for name, path in sources("app")]


def called(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_files_are_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in sources(*OURS)}
    limits = {name: LONGEST_TEST_FILE if name.startswith("tests/") else LONGEST_FILE for name in lengths}
    assert {name: lines for name, lines in lengths.items() if lines > limits[name]} == {}


def test_functions_are_short() -> None:
    found = {
        f"{name}:{node.name}": node.end_lineno - node.lineno + 1
        for name, path in sources(*OURS)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    }
    assert len(found) > 1000
    assert {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize(("name", "tree"), APP)
def test_only_the_engine_and_the_lane_begin_and_commit(name: str, tree: ast.Module) -> None:
    found = {call.func.attr for call in called(tree) if isinstance(call.func, ast.Attribute) and call.func.attr in ENDS}
    assert name in MAY_BEGIN or found <= USES_A_LANE.get(name, set()), f"{name} ends transactions: {found}"


@pytest.mark.parametrize(("name", "tree"), APP)
def test_nothing_of_an_orm_is_used(name: str, tree: ast.Module) -> None:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert not (names | imported) & NEVER


@pytest.mark.parametrize(("name", "tree"), APP)
def test_every_refusal_of_http_has_a_page(name: str, tree: ast.Module) -> None:
    """`Refused("code", …)` with a code that the table of problem types knows."""
    codes = [
        call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        for call in called(tree)
        if isinstance(call.func, ast.Name) and call.func.id == "Refused"
    ]
    assert set(codes) <= set(REFUSED_BY_HTTP)


def test_every_refusal_of_http_is_used() -> None:
    text = "".join(path.read_text() for name, path in sources("app") if not name.endswith("problem_types.py"))
    assert [code for code in REFUSED_BY_HTTP if f'"{code}"' not in text] == []


def test_what_tests_import_of_the_app_is_there() -> None:
    """Types are checked of the app alone, and whoever renames something there runs few of its tests."""
    wanted = {
        (node.module, alias.name)
        for _, path in sources("tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module.partition(".")[0] == "app"
        for alias in node.names
    }
    assert len(wanted) > 500
    assert [name for name in sorted(wanted) if not is_there(*name)] == []


def is_there(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name) or bool(importlib.import_module(f"{module}.{name}"))
    except ImportError:
        return False
