"""What a connector is: how an answer becomes requests to one service, and how its replies are read. All of it is pure.

A connector tells in steps. Its `tell` is a generator that yields each request and is sent the reply, and yields what
was made at the other side as soon as it is known, so that the next attempt goes on from there instead of making it
again. Whoever runs it does the network and the remembering (`app/outbound/connectors/run.py`).
"""

import json
import math
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias
from urllib.parse import urlencode

from app.domain.connectors.authorization import Code, Consent, Granted, NotGranted
from app.domain.connectors.pages import Page, Place
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import LONGEST_WAIT_SECONDS, Failure
from app.domain.webhooks.receiver_url import UnusableURL, origin_of, split_receiver_url

OPT_OUTS = frozenset({"recipient.unsubscribed"})
FOLLOWED_UP = "response.followed_up"
EVERY_ANSWER = ("response.band_changed", "response.created", "response.updated")
RETRIED = frozenset({408, 425, 429})  # and everything from 500 on
REFUSED_CREDENTIALS = frozenset({401, 403})
REMOTE_ID = re.compile(r"[!-~]{1,250}")  # whatever the service, it goes into paths, headers and a table
TOKEN = re.compile(r"[!-~]{1,8000}")
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")  # stands in queries
UNREADABLE = "Its body cannot be read, or lacks what we need."


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    url: str
    json: Any = field(default=None, repr=False)  # the body; none means no body
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)  # another kind of body

    @property
    def body(self) -> bytes:
        if self.form is not None:
            return urlencode(self.form).encode()
        return b"" if self.json is None else json.dumps(self.json, ensure_ascii=False).encode()

    @property
    def content_type(self) -> str:
        return "application/json" if self.form is None else "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace").strip()

    @property
    def json(self) -> Any:
        """Of what is not JSON, an empty object."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # the latter of very deep nesting
            return {}

    def member(self, *path: str | int) -> Any:
        """Whatever stands there in the JSON; none where there is nothing of the kind."""
        found = self.json
        for part in path:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def word(self, *path: str | int) -> str | None:
        """A text to compare; none of anything else."""
        found = self.member(*path)
        return found if isinstance(found, str) else None

    def listed(self, *path: str | int) -> list[Any]:
        """What a search found. Raises Failed without a list: a body that broke off does not say nothing was found."""
        found = self.member(*path)
        if not isinstance(found, list):
            raise Failed(Failure.ERROR_IN_BODY, UNREADABLE)
        return found

    def needed(self, *path: str | int, like: re.Pattern[str] = REMOTE_ID) -> str:
        """A short text or whole number that stands there. Raises Failed where there is none."""
        found = self.member(*path)
        is_usable = isinstance(found, str | int) and not isinstance(found, bool)
        if not is_usable or not like.fullmatch(str(found)):
            raise Failed(Failure.ERROR_IN_BODY, UNREADABLE)
        return str(found)

    def needed_number(self, *path: str | int) -> int:
        """Raises Failed."""
        found = self.needed(*path)
        if not found.isdecimal():
            raise Failed(Failure.ERROR_IN_BODY, UNREADABLE)
        return int(found)

    def needed_url(self, *path: str | int) -> str:
        """Of an API, without a slash at its end. Raises Failed."""
        url = self.needed(*path).rstrip("/")
        try:
            split_receiver_url(url)
        except UnusableURL:
            raise Failed(Failure.ERROR_IN_BODY, UNREADABLE) from None
        return url


@dataclass(frozen=True, slots=True)
class Made:
    """Something we made at the other side for an answer, and the revision of the answer that it tells of."""

    name: str
    remote_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody who logged in may use for a while."""

    token: str = field(repr=False)
    base_url: str
    seconds: float
    refresh_token: str | None = field(default=None, repr=False)  # in place of the one it was got with, which is void


class Failed(Exception):
    """The attempt ends here. `wait_seconds`, if the service said how long to wait in its own way: as it said it."""

    def __init__(self, failure: Failure, detail: str = "", *, wait_seconds: object = None) -> None:
        super().__init__(detail)
        self.failure, self.detail, self.wait_seconds = failure, detail, usable_seconds(wait_seconds)


class Skipped(Exception):
    """There is nothing this service could be told about this answer, which is no failure."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


NOBODY_THERE = "Nothing was sent: nobody with this e-mail address is known there."
NO_TICKET = "Nothing was sent: no ticket is known about this answer, which needs nobody any more."

Kept: TypeAlias = Made | Access | Page | Granted | NotGranted
Step: TypeAlias = Call | Kept
Steps = Generator[Step, Reply, None]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier attempts and earlier events about the same answer have made, by name."""

    made: Mapping[str, Made] = field(default_factory=dict)
    access: Access | None = None  # of a connector that logs in; there is one then

    def id_of(self, name: str) -> str | None:
        found = self.made.get(name)
        return found.remote_id if found else None

    def tells(self, name: str, revision: int) -> bool:
        """Whether it is there, and says what this revision says or something newer."""
        found = self.made.get(name)
        return found is not None and found.revision >= revision


@dataclass(frozen=True)
class Connector:
    """One service and how to reach it: the fields of a subclass are its settings."""

    kind: ClassVar[str]
    usual_events: ClassVar[tuple[str, ...]] = ("response.band_changed", "response.created")  # told unless chosen
    address: ClassVar[str] = "base_url"  # the setting that says where it sends
    per_second: ClassVar[int] = 2  # answers told, well below what the service allows to all programs of its customer
    delay_seconds: ClassVar[int] = 60  # to wait for the comment, unless somebody chooses otherwise
    further_events: ClassVar[frozenset[str]] = frozenset()  # beside answers, told if asked to
    pulled_fields: ClassVar[Mapping[str, str]] = MappingProxyType({})  # and where they go here; none: nobody is pulled
    pulled_name: ClassVar[re.Pattern[str]] = FIELD_NAME
    overlap: ClassVar[timedelta] = timedelta(0)  # what was read last is read again, since it may not have been all

    @property
    def origin(self) -> str:
        """Where it sends: scheme, host and port, which are no secret."""
        return self.origins[0]

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(origin_of(getattr(self, name)) for name in self.addresses)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Settings that say where its secrets go."""
        return (self.address,)

    def what_is_missing(self) -> tuple[str, str] | None:
        """A setting, and what is to be said there, where one of several will do."""
        return None

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        """Tells the service about an answer."""
        raise NotImplementedError

    def log_in(self) -> Steps | None:
        """Yields an Access; none where the settings are all it takes."""
        return None

    def consent_url(self, consent: Consent) -> str | None:  # noqa: ARG002 - for who overrides it
        """Where somebody lets us in; none where a token is all there is. `refresh_token` is not known yet."""
        return None

    def exchange(self, code: Code) -> Steps:
        """Yields Granted or NotGranted."""
        raise NotImplementedError

    def going_on_at(self, server: str) -> "Connector | None":  # noqa: ARG002 - for who overrides it
        """Itself for another of the service's servers, which whoever consented belongs to; none if it is none."""
        return self

    def check(self) -> Steps | None:
        """Asks whether the service would take what we send, changing nothing there; none where one cannot ask."""
        return None

    def check_let_in(self, remembered: Remembered) -> Steps:
        """The same, with the access of a connector that logs in."""
        raise NotImplementedError

    def unsubscribe(self, email: str, access: Access | None) -> Steps:
        """Tells that they want no more mail. Whom the service does not know, it need not know."""
        raise NotImplementedError

    def why_not_pulled(self) -> str | None:
        """What has to be said first, or that people are not pulled at all."""
        return None if self.pulled_fields else "People are pulled from hubspot, salesforce, zoho and google_sheets."

    def pull(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        """Yields one Page of people, those first who changed longest ago."""
        raise NotImplementedError

    def test(self) -> Steps:
        """What somebody sees who asks for a test."""
        checking = self.check()
        assert checking is not None, "without a question, a connector shows something"
        return checking


def usable_seconds(said: object) -> float | None:
    """0 to 24 h, whatever somebody's JSON says; none of what is no finite number."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    if isinstance(said, float) and not math.isfinite(said):
        return None
    return float(min(max(said, 0), LONGEST_WAIT_SECONDS))


def logged_in(steps: Steps) -> Generator[Step, Reply, Access]:
    """What logging in yields, for who does it among other steps."""
    step = next(steps)
    while not isinstance(step, Access):
        step = steps.send((yield step))
    return step


def expect_success(reply: Reply, odd: Mapping[int, Failure] | None = None) -> None:
    """Raises Failed. `odd` are the statuses that mean something else with this service."""
    failure = (odd or {}).get(reply.status) or usual_failure(reply.status)
    if failure is not None:
        raise Failed(failure)


def expect_json(reply: Reply) -> None:
    """Raises Failed. What broke off must not pass for a reply that lacks something."""
    try:
        json.loads(reply.body)
    except (ValueError, RecursionError):
        raise Failed(Failure.ERROR_IN_BODY, UNREADABLE) from None


def usual_failure(status: int) -> Failure | None:
    if 200 <= status <= 299:
        return None
    if 300 <= status <= 399:
        return Failure.REDIRECT
    if status in RETRIED or status >= 500:
        return Failure.BAD_STATUS
    if status in REFUSED_CREDENTIALS:
        return Failure.UNAUTHORIZED
    return Failure.GONE if status == 410 else Failure.REJECTED
