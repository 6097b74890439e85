"""Every way to be refused, with its HTTP status: what the API documents, and what /problems/{code} explains."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import Conflict, DomainError, Forbidden, NotFound, Overloaded, RuleViolation

STATUS: Mapping[type[DomainError], int] = {
    NotFound: 404,
    Conflict: 409,
    RuleViolation: 422,
    Forbidden: 403,
    Overloaded: 503,
}


@dataclass(frozen=True, slots=True)
class ProblemType:
    code: str
    status: int
    title: str
    explanation: str

    @property
    def uri(self) -> str:
        """A relative one, so that it holds wherever the service runs."""
        return f"/problems/{self.code.replace('_', '-')}"


_REFUSED_BY_HTTP = (
    ProblemType(
        "unreadable", 400, "The request cannot be read", "It is not HTTP as we understand it; `detail` says more."
    ),
    ProblemType(
        "unauthorized",
        401,
        "We do not know who is asking",
        "Send a key that exists and is neither revoked nor expired, as `Authorization: Bearer zt_sk_…`, or as the user "
        "name of Basic authentication. A widget sends its publishable key as `?key=`.",
    ),
    ProblemType(
        "secret_key_needed",
        403,
        "This needs a secret key",
        "A publishable key is known to everybody who visits your site, so it can only send answers.",
    ),
    ProblemType(
        "publishable_key_needed",
        403,
        "This needs a publishable key",
        "A secret key in a page can be read by everybody. Revoke the one you sent; give the page a publishable one.",
    ),
    ProblemType(
        "origin_not_allowed",
        403,
        "The key is not allowed on this site",
        "Add the origin, such as `https://shop.example`, to the publishable key's `allowed_origins`.",
    ),
    ProblemType(
        "scope_missing",
        403,
        "The key lacks a scope",
        "`scope` names it. Keys are given their scopes when they are made.",
    ),
    ProblemType(
        "head_too_large",
        431,
        "The head of the request is too large",
        "The request line and the headers have a cap together, which `detail` names. Send long values in the body.",
    ),
    ProblemType("route_not_found", 404, "There is no such route", "Compare the path with /openapi.json."),
    ProblemType(
        "method_not_allowed", 405, "This route does not know the method", "The header `Allow` lists those it knows."
    ),
    ProblemType(
        "body_too_large",
        413,
        "The body is too large",
        "Send it in several requests; `detail` says how much one may hold.",
    ),
    ProblemType(
        "unsupported_media_type",
        415,
        "The body has a media type we do not read here",
        "Set `Content-Type` as `detail` says.",
    ),
    ProblemType(
        "unsupported_content_encoding",
        415,
        "The body is compressed",
        "We unpack nothing, since a small body may hold a very large one. Send it without `Content-Encoding`.",
    ),
    ProblemType(
        "validation_failed",
        422,
        "The request is not valid",
        "`errors` names each bad field by a JSON pointer, and says what it should be.",
    ),
    ProblemType("body_missing", 422, "The body is missing", "This route needs a JSON object, be it `{}`."),
    ProblemType(
        "idempotency_key_unusable",
        422,
        "The Idempotency-Key cannot be used",
        "It is 1 to 255 printable ASCII characters.",
    ),
    ProblemType(
        "rate_limited",
        429,
        "The key sends too many requests",
        "Wait as long as `Retry-After` says. Limits are counted for each key in each API process.",
    ),
    ProblemType(
        "too_many_waiting",
        429,
        "Too many requests wait with this key",
        "Requests with `wait_seconds` are counted for each key in each API process. One that follows everything, and "
        "tells others, is enough.",
    ),
    ProblemType(
        "unexpected",
        500,
        "Something went wrong here",
        "This is our mistake. The log tells more under the `request_id`. Whether it was done is not known: read it, or "
        "repeat the request under the same Idempotency-Key.",
    ),
    ProblemType(
        "not_ready",
        503,
        "The service is not ready",
        "The database does not answer, or its schema is of another version.",
    ),
)
REFUSED_BY_HTTP: Mapping[str, ProblemType] = {one.code: one for one in _REFUSED_BY_HTTP}

# What to do about an error whose docstring has nothing to add to its title.
_ADVICE: Mapping[type[DomainError], str] = {
    NotFound: "Nothing with this id is in the workspace of your key. What belongs to another workspace, or to the test "
    "workspace while you ask with a live key, is not found either.",
    Conflict: "The request is well-formed, but does not go with how things stand now. Read them again, then decide.",
    RuleViolation: "What was sent breaks a rule; `detail` says which, and sending it again will not help.",
    Forbidden: "We know the key, and it may not do this.",
    Overloaded: "Nothing is wrong with the request. Send it again after `Retry-After` seconds, under the same "
    "Idempotency-Key if it makes something.",
}


def type_of(error: type[DomainError]) -> ProblemType:
    kind = next(kind for kind in STATUS if issubclass(error, kind))
    return ProblemType(error.code, STATUS[kind], error.title(), _explanation(error) or _ADVICE[kind])


def _explanation(error: type[DomainError]) -> str:
    _, _, more = (error.__doc__ or "").strip().partition("\n")
    return " ".join(more.split())


def domain_errors(kind: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """All that are loaded. What is not loaded cannot be raised."""
    for error in kind.__subclasses__():
        yield error
        yield from domain_errors(error)


def find_problem_type(code: str) -> ProblemType | None:
    if code in REFUSED_BY_HTTP:
        return REFUSED_BY_HTTP[code]
    return next((type_of(error) for error in domain_errors() if error.code == code), None)


def refuses(*refusals: type[DomainError] | str) -> dict[int | str, Any]:
    """For a route's `responses`: how it may refuse beyond what every such route may. HTTP's own refusals by code."""
    codes: dict[int | str, Any] = {}
    for refusal in refusals:
        found = REFUSED_BY_HTTP[refusal] if isinstance(refusal, str) else type_of(refusal)
        codes.setdefault(found.status, {PROBLEMS: []})[PROBLEMS].append(found.code)
    return codes


PROBLEMS = "x-problems"  # the codes of one operation and status
