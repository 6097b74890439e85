"""Rows of a bulk request, each with an end of its own."""

from typing import Any

from pydantic import ValidationError

from app.api.problems import finding, members_of, status_of
from app.domain.errors import DomainError


def refused_row(error: DomainError | ValidationError) -> dict[str, Any]:
    """`status` and `problem`, as the route for one would have answered."""
    if isinstance(error, DomainError):
        return _refused(status_of(error), error.code, error.detail, members_of(error))
    errors = [finding({**found, "loc": ("body", *found["loc"])}) for found in error.errors()]
    return _refused(422, "validation_failed", "The row is not valid.", {"errors": errors})


def _refused(status: int, code: str, detail: str, members: dict[str, Any]) -> dict[str, Any]:
    kind = f"/problems/{code.replace('_', '-')}"
    return {"status": status, "problem": {"type": kind, "status": status, "code": code, "detail": detail, **members}}
