"""Whom a campaign asks, when and how: one document, read once, that planning and sending obey."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo

from app.domain.asking.asking_invalid import AskingInvalid, check_range
from app.domain.asking.asking_parts import (
    EmailSettings,
    Journey,
    Stop,
    Variant,
    sample_from_json,
    variants_from_json,
)
from app.domain.asking.blackouts import MOST_BLACKOUTS, Blackout, Blackouts
from app.domain.asking.reminders import Reminders
from app.domain.asking.rhythm import Every, Once, Spread
from app.domain.asking.send_pace import Pace
from app.domain.asking.sending_window import ALWAYS, SendingWindow, next_open
from app.domain.asking.triggers import AfterTouchpoint, OnDate, Trigger, trigger_from_json
from app.domain.audience.audience import Filter
from app.domain.audience.audience_json import read_filter
from app.domain.audience.audience_selection import FARTHEST_RENEWAL, LONGEST_TENURE, MOST_PER_ACCOUNT, Restraint
from app.domain.audience.sample import Precision, Sample
from app.domain.errors import Conflict

LONGEST_WAVE = 366  # days
DEFAULT_WAVE = 14
LONGEST_QUARANTINE = 3_650
HIGHEST_PRIORITY = 100


class CampaignAsksNobody(Conflict):
    """The campaign asks nobody by itself."""

    code = "campaign_asks_nobody"


@dataclass(frozen=True)
class Asking:
    """`audience` is kept as it was written; a filter relative to now is read anew whenever it is used."""

    trigger: Trigger
    audience: Mapping[str, Any] | None = None
    exclude_newer_than_days: int | None = None
    sample: Sample | None = None
    most_per_account: int | None = None
    hold_renewal_within_days: int | None = None
    hold_open_follow_up: bool = False
    quarantine_days: int | None = None  # None: the workspace's
    priority: int = 0
    journey: Journey | None = None
    window: SendingWindow = ALWAYS
    blackouts: Blackouts = ()
    wave_days: int = DEFAULT_WAVE
    spread_days: int = 0  # over which a wave is spread; 0: everybody as soon as their window opens
    pace: Pace = field(default_factory=Pace)
    reminders: Reminders = field(default_factory=Reminders)
    stop: Stop | None = None
    variants: tuple[Variant, ...] = ()
    email: EmailSettings = field(default_factory=EmailSettings)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote, or input whose types were checked. Raises AskingInvalid, FilterInvalid."""
        _check_numbers(content)
        audience, journey, stop = (content.get(name) for name in ("audience", "journey", "stop"))
        sample, priority, wave_days = (content.get(name) for name in ("sample", "priority", "wave_days"))
        asking = cls(
            trigger_from_json(content["trigger"]),
            audience=audience,
            exclude_newer_than_days=content.get("exclude_newer_than_days"),
            sample=None if sample is None else sample_from_json(sample),
            most_per_account=content.get("most_per_account"),
            hold_renewal_within_days=content.get("hold_renewal_within_days"),
            hold_open_follow_up=bool(content.get("hold_open_follow_up")),
            quarantine_days=content.get("quarantine_days"),
            priority=priority or 0,
            journey=None if journey is None else Journey.from_json(journey),
            window=SendingWindow.from_json(content.get("window") or {}),
            blackouts=_blackouts(content.get("blackouts") or ()),
            wave_days=DEFAULT_WAVE if wave_days is None else wave_days,
            spread_days=content.get("spread_days") or 0,
            pace=Pace.from_json(content.get("pace") or {}),
            reminders=Reminders.from_json(content),
            stop=None if stop is None else Stop.from_json(stop),
            variants=variants_from_json(content.get("variants") or ()),
            email=EmailSettings.from_json(content.get("email") or {}),
        )
        if audience is not None:
            read_filter(audience, at=("asking", "audience"))
        _check_fits_trigger(asking)
        return asking

    def to_json(self) -> dict[str, Any]:
        blackouts = [{**one.to_json(), "audience": one.audience} for one in self.blackouts]
        return {
            "trigger": self.trigger.to_json(),
            "audience": self.audience,
            "exclude_newer_than_days": self.exclude_newer_than_days,
            "sample": self.sample and self.sample.to_json(),
            "most_per_account": self.most_per_account,
            "hold_renewal_within_days": self.hold_renewal_within_days,
            "hold_open_follow_up": self.hold_open_follow_up,
            "quarantine_days": self.quarantine_days,
            "priority": self.priority,
            "journey": self.journey and asdict(self.journey),
            "window": self.window.to_json(),
            "blackouts": blackouts,
            "wave_days": self.wave_days,
            "spread_days": self.spread_days,
            "pace": self.pace.to_json(),
            **self.reminders.to_json(),
            "stop": self.stop and asdict(self.stop),
            "variants": [asdict(variant) for variant in self.variants],
            "email": asdict(self.email),
        }

    @cached_property
    def filter(self) -> Filter | None:
        return None if self.audience is None else read_filter(self.audience, at=("asking", "audience"))

    @property
    def texts(self) -> Iterator[str]:
        """What it writes to people, in all languages, beside its survey."""
        named = [self.email.subject, self.email.intro]
        named += [texts for variant in self.variants for texts in (variant.question, variant.subject)]
        return (text for texts in named for text in texts.values())

    @property
    def restraint(self) -> Restraint:
        return Restraint(
            self.exclude_newer_than_days,
            self.most_per_account,
            self.hold_renewal_within_days,
            self.hold_open_follow_up,
        )

    @property
    def is_evenly_spread(self) -> bool:
        """Each person has a moment of their own in every period, where else a wave begins for everybody at once."""
        return isinstance(self.trigger, Every) and self.trigger.spread is Spread.EVENLY

    @property
    def is_in_waves(self) -> bool:
        """Waves that begin for everybody at once."""
        return isinstance(self.trigger, Once | Every) and not self.is_evenly_spread

    @cached_property
    def common_blackouts(self) -> Blackouts:
        """Those that hold for everybody."""
        return tuple(one for one in self.blackouts if one.audience is None)

    def quarantine(self, of_workspace: int) -> timedelta:
        """`of_workspace` in days."""
        return timedelta(days=of_workspace if self.quarantine_days is None else self.quarantine_days)


def check_can_ask(asking: Asking, *, zone: ZoneInfo, now: datetime) -> None:
    """What a launch needs beside sound values: a moment at which somebody may be written to. Raises AskingInvalid."""
    if next_open(now, zone=zone, window=asking.window, blackouts=asking.common_blackouts) is None:
        raise AskingInvalid("This window does not open within a year.", pointer="/asking/window")


def _check_numbers(content: Mapping[str, Any]) -> None:
    for name, low, high in (
        ("exclude_newer_than_days", 0, LONGEST_TENURE),
        ("most_per_account", 1, MOST_PER_ACCOUNT),
        ("hold_renewal_within_days", 0, FARTHEST_RENEWAL),
        ("quarantine_days", 0, LONGEST_QUARANTINE),
        ("priority", 0, HIGHEST_PRIORITY),
        ("wave_days", 1, LONGEST_WAVE),
        ("spread_days", 0, LONGEST_WAVE),
    ):
        if content.get(name) is not None:
            check_range(name, content[name], low, high)


def _check_fits_trigger(asking: Asking) -> None:
    trigger = asking.trigger
    if isinstance(asking.sample, Precision) and isinstance(trigger, AfterTouchpoint | OnDate):
        detail = "Of people who come one by one nobody knows how many there will be: say a percent."
        raise AskingInvalid(detail, pointer="/asking/sample")
    if asking.is_in_waves and asking.spread_days > asking.wave_days:
        detail = "A wave is over after its `wave_days`: spread it over no more days than that, or let it wait longer."
        raise AskingInvalid(detail, pointer="/asking/spread_days")


def _blackouts(content: Sequence[Mapping[str, Any]]) -> Blackouts:
    if len(content) > MOST_BLACKOUTS:
        raise AskingInvalid(f"Name at most {MOST_BLACKOUTS} blackouts.", pointer="/asking/blackouts")
    for place, one in enumerate(content):
        if one.get("audience") is not None:
            read_filter(one["audience"], at=("asking", "blackouts", place, "audience"))
    return tuple(_blackout(one) for one in content)


def _blackout(content: Mapping[str, Any]) -> Blackout:
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in content.items()}
    return Blackout.from_json(said, audience=content.get("audience"))
