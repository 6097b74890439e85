"""Times and numbers as people read them."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from urllib.parse import urlsplit

from markupsafe import Markup

SPANS = (
    (timedelta(days=2), timedelta(days=1), "days"),
    (timedelta(hours=2), timedelta(hours=1), "h"),
    (timedelta(minutes=2), timedelta(minutes=1), "min"),
    (timedelta(0), timedelta(seconds=1), "s"),
)
NOW_IS = timedelta(seconds=1)
BREAK = Markup(".<wbr>")


@dataclass(frozen=True, slots=True)
class Times:
    """Instants, seen at `now` from the workspace's time zone."""

    now: datetime
    zone: tzinfo

    def ago(self, at: datetime) -> str:
        passed = self.now - at
        if abs(passed) < NOW_IS:
            return "now"
        return f"{span(passed)} ago" if passed > timedelta(0) else f"in {span(-passed)}"

    def full(self, at: datetime) -> str:
        there = at.astimezone(self.zone)
        return f"{there.day} {there:%b %Y, %H:%M:%S} {there.tzname()}"


def span(length: timedelta) -> str:
    unit, name = next((unit, name) for least, unit, name in SPANS if length >= least)
    return f"{length // unit} {name}"


def count(number: int) -> str:
    """Digits in threes; the space does not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if number >= 10_000 else str(number)


def percent(share: float) -> str:
    """Never rounded up to 100 or down to 0: one failure in a thousand is not none."""
    if 0.995 <= share < 1:
        return "> 99 %" if share >= 0.9995 else f"{int(share * 1000) / 10} %"
    return "< 1 %" if 0 < share < 0.01 else f"{round(share * 100)} %"


def milliseconds(duration: float) -> str:
    return f"{duration:.0f} ms" if duration < 1000 else f"{duration / 1000:.1f} s"


def breakable(name: str) -> Markup:
    """A name such as `response.created` may go on in the next line behind its dots."""
    return BREAK.join(name.split("."))


def host(url: str) -> str:
    """Of a connector the URL is a host already."""
    return urlsplit(url).netloc.rpartition("@")[2] or url
