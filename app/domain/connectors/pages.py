"""What comes in when people are read from a service, page by page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on: with whoever changed at `since` or later, and of that instant, only behind `after`."""

    since: datetime | None = None  # none: from the beginning
    after: str = ""  # of a record, or whatever else the service counts by
    of_companies: bool = False  # which are read behind the people

    def text(self) -> str:
        said = {"since": self.since and self.since.isoformat(), "after": self.after}
        return json.dumps(said | ({"of_companies": True} if self.of_companies else {}))

    @classmethod
    def read(cls, text: str | None) -> "Place":
        """The beginning, of none."""
        return cls.of(json.loads(text or "{}"))

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Place":
        since = datetime.fromisoformat(said["since"]) if said.get("since") else None
        return cls(since, said.get("after", ""), said.get("of_companies", False))

    def earlier(self, overlap: timedelta) -> "Place":
        """Where a new run begins: what changed shortly before may not have been there to be read."""
        return Place(self.since - overlap) if self.since else Place()


@dataclass(frozen=True, slots=True)
class Record:
    id: str
    fields: Mapping[str, Any]  # by their names there


@dataclass(frozen=True, slots=True)
class Page:
    records: Sequence[Record]
    following: Place  # where the next page begins; behind the last one, the next run
    is_last: bool
