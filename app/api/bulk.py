"""Rows of a bulk request, each with an end of its own."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.api.problem_types import REFUSED_BY_HTTP, ProblemType, type_of
from app.api.problems import findings, members_of, named
from app.domain.errors import DomainError


def refused_row(error: DomainError | ValidationError) -> dict[str, Any]:
    """`status` and `problem`, as the route for one would have answered."""
    if isinstance(error, DomainError):
        return _refused(type_of(type(error)), error.detail, members_of(error))
    errors = findings([{**found, "loc": ("body", *found["loc"])} for found in error.errors()])
    return _refused(REFUSED_BY_HTTP["validation_failed"], "The row is not valid.", {"errors": errors})


def _refused(kind: ProblemType, detail: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": kind.status, "problem": {**named(kind), "detail": detail, **members}}
