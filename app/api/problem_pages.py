"""Where the `type` of a problem leads."""

from typing import Annotated

from fastapi import Path
from pydantic import StringConstraints

from app.api.problem_models import ProblemExplanation
from app.api.problem_types import find_problem_type, refuses
from app.api.routing import router
from app.domain.errors import NotFound

routes = router("operation")

Slug = Annotated[
    str,
    StringConstraints(pattern="^[a-z_-]{1,100}$"),
    Path(description="A code, with dashes or underscores.", examples=["campaign-not-found"]),
]


class ProblemNotFound(NotFound):
    """There is no such problem.

    The code is misspelt, or comes from a later version of the service.
    """

    code = "problem_not_found"


@routes.get("/problems/{code}", summary="What a problem means", responses=refuses(ProblemNotFound))
async def explain_problem(code: Slug) -> ProblemExplanation:
    found = find_problem_type(code.replace("-", "_"))
    if found is None:
        raise ProblemNotFound("No problem has this code.")
    return ProblemExplanation(
        type=found.uri, code=found.code, status=found.status, title=found.title, explanation=found.explanation
    )
