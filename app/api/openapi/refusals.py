"""What each operation may refuse, and why: its own refusals beside those of every operation of its sort."""

from typing import Any

from app.api.openapi.headers import headers_of
from app.api.problem_types import PROBLEMS, find_problem_type
from app.api.problems import MEDIA_TYPE

ALWAYS = {401: ["unauthorized"], 429: ["rate_limited"], 503: ["overloaded"]}
WITH_SECRET_KEY = {403: ["secret_key_needed", "scope_missing"]}
WITH_BODY = {413: ["body_too_large"], 415: ["unsupported_content_encoding"], 422: ["body_missing"]}
WITH_JSON = {422: ["unreadable_json", "body_missing", "validation_failed"]}
WITH_JSON_ONLY = {415: ["unsupported_media_type"]}
WITH_PARAMETERS = {422: ["validation_failed"]}
WITH_CURSOR = {422: ["cursor_unreadable"]}
WITH_IDEMPOTENCY_KEY = {409: ["idempotency_key_in_use"], 422: ["idempotency_key_unusable", "idempotency_key_reused"]}

SHARED = {
    "Unauthorized": (401, ALWAYS[401]),
    "SecretKeyOrScopeMissing": (403, WITH_SECRET_KEY[403]),
    "BodyTooLarge": (413, WITH_BODY[413]),
    "UnsupportedMediaType": (415, [*WITH_JSON_ONLY[415], *WITH_BODY[415]]),
    "UnsupportedContentEncoding": (415, WITH_BODY[415]),
    "InvalidBody": (422, WITH_JSON[422]),
    "InvalidParameters": (422, WITH_PARAMETERS[422]),
    "InvalidPage": (422, [*WITH_PARAMETERS[422], *WITH_CURSOR[422]]),
    "IdempotencyKeyInUse": (409, WITH_IDEMPOTENCY_KEY[409]),
    "RateLimited": (429, ALWAYS[429]),
    "Overloaded": (503, ALWAYS[503]),
}


def add_refusals(operation: dict[str, Any]) -> None:
    codes = _own(operation)
    for more in _common(operation):
        for status, names in more.items():
            codes[status] = [*names, *(code for code in codes.get(status, ()) if code not in names)]
    for status in sorted(codes):
        operation["responses"][str(status)] = _reference(status, codes[status]) or _response(status, codes[status])


def _own(operation: dict[str, Any]) -> dict[int, list[str]]:
    """Takes them out, FastAPI's wrong default for 422 among them."""
    refused = {status: operation["responses"].pop(status) for status in [*operation["responses"]] if status >= "4"}
    return {int(status): response[PROBLEMS] for status, response in refused.items() if PROBLEMS in response}


def _common(operation: dict[str, Any]) -> list[dict[int, list[str]]]:
    """The most general last, so that it stands first."""
    schemes = {scheme for choice in operation.get("security", ()) for scheme in choice}
    names = {parameter.get("name") for parameter in operation.get("parameters", ())}
    content = operation.get("requestBody", {}).get("content", {})
    takes_json, is_for_servers = "application/json" in content, "bearer" in schemes
    sorts = (
        (WITH_IDEMPOTENCY_KEY, "Idempotency-Key" in names),
        (WITH_CURSOR, bool(names & {"cursor", "after"})),
        (WITH_PARAMETERS, bool(names) or is_for_servers),  # the one that nobody knows
        (WITH_BODY, bool(content)),
        (WITH_JSON, takes_json),
        (WITH_JSON_ONLY, takes_json and is_for_servers),  # a browser may call JSON what it likes
        (WITH_SECRET_KEY, is_for_servers),
        (ALWAYS, bool(schemes & {"bearer", "publishable_key"})),
    )
    return [refusals for refusals, is_of_this_sort in sorts if is_of_this_sort]


def _reference(status: int, codes: list[str]) -> dict[str, str] | None:
    names = [name for name, shared in SHARED.items() if shared == (status, codes)]
    return {"$ref": f"#/components/responses/{names[0]}"} if names else None


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    kinds = [kind for code in codes if (kind := find_problem_type(code))]
    return {
        "description": "\n".join(f"- `{kind.code}`: {kind.title}." for kind in kinds),
        PROBLEMS: codes,
        "headers": headers_of(status=status),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


RESPONSES = {name: _response(status, codes) for name, (status, codes) in SHARED.items()}
