"""Every way to be refused has a code of its own, a title, a page, and a place in the contract."""

import pkgutil
from collections import Counter
from importlib import import_module

import pytest
from fastapi import FastAPI

import app as application
from app.api.problem_types import REFUSED_BY_HTTP, domain_errors, type_of
from app.domain.errors import Conflict, DomainError, Forbidden, NotFound, Overloaded, RuleViolation
from tests.conftest import client
from tests.contract import operations, resolved, the_document

for module in pkgutil.walk_packages(application.__path__, "app."):
    if not module.name.endswith("__main__"):
        import_module(module.name)

KINDS = {NotFound, Conflict, RuleViolation, Forbidden, Overloaded}
OURS = [error for error in domain_errors() if error.__module__.startswith("app.") and error not in KINDS]
every_error = pytest.mark.parametrize("error", OURS, ids=lambda error: error.__name__)

# Codes that no operation answers with, and where else they are met.
ELSEWHERE = {
    "score_column_missing": "`zeroten nps`",
    "unreadable_secret": "stored secrets, which are ours",
    "file_unreadable": "an import's `failure`",
    "header_unreadable": "an import's `failure`",
    "wrong_column_count": "an import's errors",
    "row_unreadable": "an import's errors",
}
# What the framework or the outermost layer answers, on no operation in particular.
ON_ANY_PATH = {"unreadable", "head_too_large", "route_not_found", "method_not_allowed", "unexpected"}


def documented() -> set[str]:
    replies = (
        resolved(reply) for *_, operation in operations(the_document()) for reply in operation["responses"].values()
    )
    return {code for reply in replies for code in reply.get("x-problems", ())}


def test_no_code_is_used_twice() -> None:
    codes = Counter([*(error.code for error in [*OURS, *KINDS, DomainError]), *REFUSED_BY_HTTP])
    assert [code for code, times in codes.items() if times > 1] == []


@every_error
def test_an_error_has_a_code_and_a_title(error: type[DomainError]) -> None:
    assert "code" in vars(error)
    assert error.code.replace("_", "").isalpha()
    assert error.code == error.code.lower()
    assert error.__doc__
    assert 3 <= len(error.title().split()) <= 12
    assert type_of(error).status in {403, 404, 409, 422, 503}


@every_error
def test_an_error_is_documented(error: type[DomainError]) -> None:
    assert (error.code in documented()) != (error.code in ELSEWHERE), "name it in the `refuses(…)` of its routes"


def test_refusals_of_http_are_documented() -> None:
    assert set(REFUSED_BY_HTTP) - documented() == ON_ANY_PATH


@pytest.mark.parametrize("code", sorted({*REFUSED_BY_HTTP, *(error.code for error in OURS), "overloaded"}))
async def test_the_type_of_a_problem_leads_to_its_page(app: FastAPI, code: str) -> None:
    async with client(app) as api:
        page = (await api.get(f"/problems/{code.replace('_', '-')}")).json()
        by_code = (await api.get(f"/problems/{code}")).json()
    assert page == by_code
    assert page["code"] == code
    assert len(page["explanation"]) > 20


async def test_an_unknown_problem_is_one_itself(app: FastAPI) -> None:
    async with client(app) as api:
        reply = await api.get("/problems/no-such-problem")
    assert (reply.status_code, reply.json()["code"]) == (404, "problem_not_found")
