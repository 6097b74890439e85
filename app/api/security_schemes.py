"""Who may call: how a key is presented, and what it has to be good for."""

from typing import Any

SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A secret key: `Authorization: Bearer zt_sk_live_…`. Each operation names the scope it needs.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "The same key as user name, without a password."},
    "publishable_key": {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "A publishable key, `zt_pk_live_…`, from a page whose origin it allows.",
    },
    "metrics": {
        "type": "http",
        "scheme": "bearer",
        "description": "`ZEROTEN_METRICS_TOKEN`; where none is set, callers on the same machine need none.",
    },
}


def needs_scope(scope: str) -> dict[str, Any]:
    """For a route's `openapi_extra`."""
    return {"security": [{"bearer": [scope]}, {"basic": [scope]}]}


NEEDS_PUBLISHABLE_KEY: dict[str, Any] = {"security": [{"publishable_key": []}]}
MAY_NEED_METRICS_TOKEN: dict[str, Any] = {"security": [{"metrics": []}, {}]}
