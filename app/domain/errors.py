"""Ways to be refused.

    DomainError
    ├── NotFound        there is no such thing here (also: it is another workspace's)
    ├── Conflict        the thing is there, but in a state that forbids this
    ├── RuleViolation   what was sent breaks a rule
    ├── Forbidden       we know who you are, and you may not
    └── Overloaded      nothing is wrong with the request; come back

Concrete errors live beside the rule that raises them. The first line of a class's docstring is its title,
`code` is stable for ever, and `api/problem_types.py` alone knows which HTTP status each kind becomes.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class DomainError(Exception):
    """Something was refused."""

    code: ClassVar[str] = "error"

    def __init__(
        self, detail: str, *, pointer: str | None = None, further: Sequence[str] = (), **members: object
    ) -> None:
        """`pointer` is the JSON pointer of the field to blame (`/score`), `further` are those of others.

        `members` join the problem document.
        """
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.further = further
        self.members: Mapping[str, object] = members

    @classmethod
    def title(cls) -> str:
        return (cls.__doc__ or cls.code).strip().splitlines()[0].rstrip(".")


class NotFound(DomainError):
    """Not found."""

    code = "not_found"


class Conflict(DomainError):
    """The current state forbids this."""

    code = "conflict"


class RuleViolation(DomainError):
    """A rule was broken."""

    code = "rule_violation"


class Forbidden(DomainError):
    """Not allowed."""

    code = "forbidden"


class Overloaded(DomainError):
    """Too much to do at the moment."""

    code = "overloaded"

    def __init__(self, detail: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds
