"""Zeroten's API, called as any program would call it."""

from typing import Any

import httpx

ORIGIN = "https://shop.example.test"


class Refused(Exception):
    """An answer we had not expected."""


class Api:
    def __init__(self, address: str, *, secret_key: str, publishable_key: str) -> None:
        self._publishable_key = publishable_key
        headers = {"authorization": f"Bearer {secret_key}"}
        # No proxy of the environment may come between this machine and itself.
        self._server = httpx.Client(base_url=address, headers=headers, timeout=30, trust_env=False)
        self._browser = httpx.Client(base_url=address, headers={"origin": ORIGIN}, timeout=30, trust_env=False)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return _json(self._server.get(path, params=query))

    def post(self, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return _json(self._server.post(path, json=body, headers=names))

    def patch(self, path: str, body: object) -> dict[str, Any]:
        return _json(self._server.patch(path, json=body))

    def upload(self, path: str, content: bytes, *, media_type: str) -> dict[str, Any]:
        return _json(self._server.post(path, content=content, headers={"content-type": media_type}))

    def post_from_browser(self, body: dict[str, Any]) -> dict[str, Any]:
        """As a widget does: the key in the query, and a media type for which a browser asks nobody first."""
        reply = self._browser.post(
            "/v1/widget/responses",
            params={"key": self._publishable_key},
            content=httpx.Request("POST", "http://-", json=body).content,
            headers={"content-type": "text/plain"},
        )
        return _json(reply)

    def close(self) -> None:
        self._server.close()
        self._browser.close()


def _json(reply: httpx.Response) -> dict[str, Any]:
    if reply.is_error:
        raise Refused(f"{reply.request.method} {reply.request.url.path} answered {reply.status_code}: {reply.text}")
    found: dict[str, Any] = reply.json()
    return found
