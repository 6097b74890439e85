"""When mails that are due would leave, as the pace lets them: expected by the hour, from what is known now.

Reminders and what a mail server puts off take their share of the same caps, so it is no promise.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from operator import itemgetter
from zoneinfo import ZoneInfo

from app.domain.asking.asking import Asking
from app.domain.asking.blackouts import Blackouts
from app.domain.asking.send_pace import NEVER_BOUND, Pace, Sent
from app.domain.asking.sending_window import LOOKED_AHEAD, SendingWindow, open_spans
from app.domain.scores.period import ONE_DAY, day_of

HOUR = timedelta(hours=1)
MOST_DOMAINS = 20  # each with a queue of its own: the largest of those that have more mails than their cap


@dataclass(frozen=True, slots=True)
class Due:
    """What mails have in common that leave one for another. `hour` is a full one, in UTC."""

    hour: datetime
    zone: ZoneInfo
    domain: str = ""
    latest_at: datetime | None = None


Queue = deque[tuple[Due, int]]


@dataclass(slots=True)
class Departures:
    """`late`: how many do not leave in time. `last`: the hour in which the last of each leaves."""

    by_hour: Counter[datetime] = field(default_factory=Counter)
    late: int = 0
    last: dict[Due, datetime] = field(default_factory=dict)

    @property
    def last_at(self) -> datetime | None:
        return max(self.by_hour, default=None)

    def note(self, due: Due, hour: datetime, count: int) -> None:
        if count:
            self.by_hour[hour] += count
            self.last[due] = hour


def hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def scaled(mails: Counter[Due], times: float) -> Counter[Due]:
    """So many times as many, in all and of each kind as nearly as whole mails can be."""
    if times == 1:
        return mails
    found, exact, given = Counter[Due](), 0.0, 0
    for due, count in mails.items():
        exact += count * times
        found[due] = round(exact) - given
        given += found[due]
    return +found


def expected_departures(
    mails: Mapping[Due, int], asking: Asking, *, zone: ZoneInfo, sent: Sent, now: datetime
) -> Departures:
    """`zone`: by which the days of a warm-up begin; `sent`: what has left already."""
    found, hour = Departures(), hour_of(now)
    if asking.pace == Pace():
        for due, count in mails.items():
            found.note(due, max(due.hour, hour), count)
        return found
    coming = deque(sorted(mails.items(), key=lambda item: item[0].hour))
    queues, room, end = (
        _Queues(_crowded(mails, asking.pace)),
        _Room(asking.pace, sent, zone),
        _last(mails, hour) + LOOKED_AHEAD,
    )
    while hour < end and (coming or queues.are_waiting):
        if not queues.are_waiting:
            hour = max(hour, coming[0][0].hour)
        while coming and coming[0][0].hour <= hour:
            queues.add(*coming.popleft())
        room.enter(hour)
        _let_out(queues, room, found, asking, hour)
        hour += HOUR
    found.late += queues.total + sum(count for _, count in coming)
    return found


def _last(mails: Mapping[Due, int], hour: datetime) -> datetime:
    return max([hour, *(due.hour for due in mails)])


def _let_out(queues: "_Queues", room: "_Room", found: Departures, asking: Asking, hour: datetime) -> None:
    zones = {
        zone: hour in _open_hours(hour.date(), zone, asking.window, asking.common_blackouts) for zone in queues.zones
    }
    for zone, domain, queue in queues.in_turn():
        if room.is_full:
            return
        if zones[zone]:
            _let_out_of(queue, domain, room, found, hour)


def _let_out_of(queue: Queue, domain: str, room: "_Room", found: Departures, hour: datetime) -> None:
    while queue:
        due, count = queue[0]
        if due.latest_at is not None and due.latest_at <= hour:
            found.late += count
        else:
            taken = room.take(domain, count)
            found.note(due, hour, taken)
            if taken < count:
                queue[0] = due, count - taken
                return
        queue.popleft()


class _Queues:
    def __init__(self, crowded: Set[str]) -> None:
        self._crowded = crowded
        self._queues: dict[tuple[ZoneInfo, str], Queue] = defaultdict(deque)
        self.zones: set[ZoneInfo] = set()

    @property
    def are_waiting(self) -> bool:
        return any(self._queues.values())

    @property
    def total(self) -> int:
        return sum(count for queue in self._queues.values() for _, count in queue)

    def add(self, due: Due, count: int) -> None:
        self.zones.add(due.zone)
        self._queues[due.zone, due.domain if due.domain in self._crowded else ""].append((due, count))

    def in_turn(self) -> Iterator[tuple[ZoneInfo, str, Queue]]:
        """The one whose first has waited longest comes first."""
        waiting = [(queue[0][0].hour, place) for place, queue in self._queues.items() if queue]
        for _, place in sorted(waiting, key=itemgetter(0)):
            yield *place, self._queues[place]


class _Room:
    """What the caps leave in the hour that has begun. What left before counts for the first of them."""

    def __init__(self, pace: Pace, sent: Sent, zone: ZoneInfo) -> None:
        self._pace, self._zone = pace, zone
        self._day: date | None = None
        self._warm_up_day, self._today = sent.warm_up_day, sent.today
        self._hour, self._of_domain = sent.last_hour, Counter(sent.last_hour_by_domain)
        self._most_today: int | None = None

    def enter(self, hour: datetime) -> None:
        day = day_of(hour, self._zone)
        if self._day is not None:
            self._hour, self._of_domain = 0, Counter()
        if self._day is not None and day != self._day:
            self._warm_up_day, self._today = self._warm_up_day + (self._today > 0), 0
        if day != self._day and self._pace.warm_up is not None:
            self._most_today = self._pace.warm_up.cap_on(self._warm_up_day)
        self._day = day

    @property
    def is_full(self) -> bool:
        return self._left() <= 0

    def take(self, domain: str, wanted: int) -> int:
        """`domain`: empty where it has no cap to heed."""
        room = min(wanted, self._left())
        if self._pace.per_domain_per_hour is not None and domain:
            room = min(room, self._pace.per_domain_per_hour - self._of_domain[domain])
        taken = max(0, room)
        self._hour, self._today = self._hour + taken, self._today + taken
        self._of_domain[domain] += taken
        return taken

    def _left(self) -> int:
        of_hour = NEVER_BOUND if self._pace.per_hour is None else self._pace.per_hour - self._hour
        return min(of_hour, NEVER_BOUND if self._most_today is None else self._most_today - self._today)


def _crowded(mails: Mapping[Due, int], pace: Pace) -> Set[str]:
    """Domains that a cap may keep waiting."""
    most = pace.per_domain_per_hour
    if most is None:
        return frozenset()
    by_domain: Counter[str] = Counter()
    for due, count in mails.items():
        by_domain[due.domain] += count
    return {domain for domain, count in by_domain.most_common(MOST_DOMAINS) if count > most}


@lru_cache(maxsize=4_096)
def _open_hours(day: date, zone: ZoneInfo, window: SendingWindow, blackouts: Blackouts) -> Set[datetime]:
    """Those of a day of UTC's in which it is open for a while."""
    begins = datetime.combine(day, time(), tzinfo=UTC)
    spans = list(open_spans(begins, begins + ONE_DAY, zone=zone, window=window, blackouts=blackouts))
    hours = (begins + HOUR * at for at in range(24))
    return frozenset(hour for hour in hours if any(start < hour + HOUR and end > hour for start, end in spans))
