"""Somebody who reads pages and presses buttons, without a browser: what they get is HTML that has to be right."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from urllib.parse import urljoin, urlsplit

import httpx
from fastapi import FastAPI

from app.dashboard.headers import CONTENT_SECURITY_POLICY, FRAMING

VOID = {"meta", "link", "input", "rect", "path", "br", "wbr"}  # those of SVG are closed where they begin
IN_A_FRAME = "allow-popups allow-popups-to-escape-sandbox"  # neither scripts nor our origin
ADDRESSES = count(2)
LOADS = {"src", "href", "action", "srcset", "poster", "data", "formaction"}


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    button: str = ""


class Page(HTMLParser):
    """Raises AssertionError for HTML that is not well-formed, or breaks the policy it is sent with."""

    def __init__(self, reply: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.reply, self.status, self.html = reply, reply.status_code, reply.text
        self.open: list[str] = []
        self.ids: list[str] = []
        self.said: list[str] = []
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.labels: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.headings: list[str] = []
        self._href: str | None = None
        self._linked = ""
        assert self.html.startswith("<!doctype html>\n<html lang=")
        self.feed(self.html)
        self.close()
        assert self.open == [], self.open
        self._check()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())

    def button(self, text: str) -> Form:
        return next(form for form in self.forms if form.button == text)

    @property
    def buttons(self) -> list[str]:
        return [form.button for form in self.forms]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"an attribute twice: {attrs}"
        self._check_attributes(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [str(attributes["id"])] if "id" in attributes else []
        if tag == "form":
            self.forms.append(Form(str(attributes["action"])))
        if tag == "input":
            self.inputs.append(attributes)
            if "form" in self.open:
                self.forms[-1].fields[str(attributes["name"])] = attributes.get("value") or ""
        if tag == "label":
            self.labels.add(str(attributes["for"]))
        if tag == "a":
            self._href, self._linked = attributes["href"], ""
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check_attributes(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag
        if tag == "a":
            self.links[self._linked.strip()] = str(self._href)

    def handle_data(self, data: str) -> None:
        if "title" not in self.open:
            self.said.append(data)
        self._linked += data if "a" in self.open else ""
        if "button" in self.open and self.forms:
            self.forms[-1].button = data.strip()

    def _check_attributes(self, tag: str, attributes: dict[str, str | None]) -> None:
        assert tag != "iframe" or attributes["sandbox"] == IN_A_FRAME
        assert tag not in {"script", "object", "embed", "style", "img", "b"}, tag
        assert not [name for name in attributes if name == "style" or name.startswith("on")], attributes
        if attributes.get("rel") == "external noopener noreferrer":  # to a service that somebody lets a connector in at
            return
        for name in LOADS & set(attributes):
            parts = urlsplit(attributes[name] or "")
            assert not parts.scheme, f"{tag} leads away: {attributes[name]}"
            assert not parts.netloc, f"{tag} leads away: {attributes[name]}"

    def _check(self) -> None:
        assert len(self.ids) == len(set(self.ids))
        assert self.headings[0] == "h1"
        assert self.headings.count("h1") == 1
        unnamed = [one for one in self.inputs if one.get("type") != "hidden" and "hidden" not in one]
        assert [one for one in unnamed if one.get("id") not in self.labels] == []
        for one in self.inputs:
            assert set((one.get("aria-describedby") or "").split()) <= set(self.ids)


class Reader:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def log_in(self, key: str, *, wanted: str = "") -> httpx.Response:
        shown = await self.read(f"/dashboard/log-in?next={wanted}")
        return await self.press(shown.button("Log in"), key=key)

    async def read(self, path: str) -> Page:
        """Checks what has to hold for every page."""
        reply = await self.http.get(path)
        check_headers(reply)
        return Page(reply)

    async def press(self, form: Form, *, origin: str | None = None, **fields: str) -> httpx.Response:
        """Not followed: where it leads to is part of the answer."""
        headers = {"origin": origin or str(self.http.base_url).rstrip("/")}
        reply = await self.http.post(form.action, data={**form.fields, **fields}, headers=headers)
        check_headers(reply)
        return reply

    async def follow(self, reply: httpx.Response) -> Page:
        assert reply.status_code == 303, reply.text
        return await self.read(urljoin(str(reply.url), reply.headers["location"]))


def check_headers(reply: httpx.Response) -> None:
    policy = FRAMING if "<iframe" in reply.text else CONTENT_SECURITY_POLICY
    assert reply.headers["content-security-policy"] == policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["referrer-policy"] == "same-origin"


@asynccontextmanager
async def a_reader(site: str, *, app: FastAPI | None = None) -> AsyncIterator[Reader]:
    """Over a real socket, from an address of their own, since tries to log in are counted by address.

    With `app`, straight to it: for sites that are not on loopback.
    """
    own = f"127.0.{next(ADDRESSES) % 250}.{1 + next(ADDRESSES) % 250}"
    transport = httpx.ASGITransport(app, client=(own, 1)) if app else httpx.AsyncHTTPTransport(local_address=own)
    async with httpx.AsyncClient(base_url=site, transport=transport) as http:
        yield Reader(http)
