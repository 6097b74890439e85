"""What replies carry beside their bodies."""

from typing import Any

HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "On every reply, of every status: what to name when asking why.",
        "schema": {"type": "string", "examples": ["req_4f1c2a9d8e7b60530000002a"]},
    },
    "Link": {
        "description": 'RFC 8288: the next page as `rel="next"`. Absent where `next_cursor` is null.',
        "schema": {"type": "string"},
    },
    "IdempotentReplayed": {
        "description": "`true` where an earlier call with this Idempotency-Key had done it already.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}},
    "WwwAuthenticate": {"description": "RFC 9110.", "schema": {"type": "string"}},
    "RateLimitLimit": {
        "description": "Requests a key may send at once, to one API process.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimitPolicy": {
        "description": "The same with the seconds in which as many come back.",
        "schema": {"type": "string", "examples": ["100;w=2"]},
    },
    "RateLimitRemaining": {"description": "Of these, how many are left.", "schema": {"type": "integer", "minimum": 0}},
    "RateLimitReset": {"description": "Seconds until there are more.", "schema": {"type": "integer", "minimum": 0}},
}
OF_STATUS = {
    401: {"www-authenticate": "WwwAuthenticate"},
    429: {
        "retry-after": "RetryAfter",
        "ratelimit-limit": "RateLimitLimit",
        "ratelimit-policy": "RateLimitPolicy",
        "ratelimit-remaining": "RateLimitRemaining",
        "ratelimit-reset": "RateLimitReset",
    },
    503: {"retry-after": "RetryAfter"},
}


def headers_of(*, status: int, **more: str) -> dict[str, Any]:
    """`more`: names of components by header, in underscores."""
    names = {"x-request-id": "RequestId", **OF_STATUS.get(status, {})}
    names |= {name.replace("_", "-"): component for name, component in more.items()}
    return {name: {"$ref": f"#/components/headers/{component}"} for name, component in names.items()}


SUCCESS = {"200": "Done.", "201": "Made.", "202": "Taken on; it will be done soon.", "204": "Done. There is no body."}


def describe_successes(operation: dict[str, Any]) -> None:
    """Refusals have their headers already."""
    parameters = {parameter.get("name") for parameter in operation.get("parameters", ())}
    more = {}
    if parameters & {"cursor", "after"}:
        more["link"] = "Link"
    if "Idempotency-Key" in parameters:
        more["idempotent_replayed"] = "IdempotentReplayed"
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response["headers"] = headers_of(status=int(status), **more)
            if response["description"] == "Successful Response":
                response["description"] = SUCCESS[status]
