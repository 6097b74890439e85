"""The smaller parts of a campaign's `asking`. Each raises AskingInvalid when made with values out of range."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from app.domain.asking.asking_invalid import AskingInvalid, check_range
from app.domain.audience.sample import Percentage, Precision, Sample
from app.domain.audience.stable_hash import Weighted
from app.domain.people.properties import LONGEST_KEY, UNSTORABLE
from app.domain.people.recipient import CONTROL, RecipientInvalid, email_address
from app.domain.pointer import json_pointer
from app.domain.survey.merge_fields import merge_field_faults
from app.domain.survey.survey_link import Confirmation

LONGEST_NAME = 200
LONGEST_SUBJECT = 200  # characters
LONGEST_TEXT = 2_000
MOST_VARIANTS = 10
HEAVIEST = 1_000
LONGEST_VARIANT_KEY = 40
MOST_WANTED = 10_000_000
LONGEST_GAP_HOURS = 8_784
MOST_ASKS = 100


def sample_from_json(content: Mapping[str, Any]) -> Sample:
    percent, margin = content.get("percent"), content.get("margin")
    if (percent is None) == (margin is None):
        raise AskingInvalid("A sample is a percent, or a margin to reach.", pointer="/asking/sample")
    if margin is None:
        check_range("sample/percent", content["percent"], 0.01, 100)
        return Percentage(content["percent"])
    confidence, rate = content.get("confidence"), content.get("response_rate")
    wanted = Precision(margin, 95 if confidence is None else confidence, 20 if rate is None else rate)
    check_range("sample/margin", wanted.margin, 0.5, 50)
    check_range("sample/confidence", wanted.confidence, 50, 99.9)
    check_range("sample/response_rate", wanted.response_rate, 0.1, 100)
    return wanted


@dataclass(frozen=True, slots=True)
class Journey:
    """Campaigns of one journey may ask the same person within the quarantine, so far apart and so often."""

    name: str
    least_gap_hours: int = 24
    most_per_person: int = 2  # within one quarantine

    def __post_init__(self) -> None:
        _check_text("journey/name", self.name, LONGEST_NAME)
        check_range("journey/least_gap_hours", self.least_gap_hours, 0, LONGEST_GAP_HOURS)
        check_range("journey/most_per_person", self.most_per_person, 1, MOST_ASKS)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        gap, most = content.get("least_gap_hours"), content.get("most_per_person")
        return cls(content["name"], 24 if gap is None else gap, 2 if most is None else most)

    @property
    def least_gap(self) -> timedelta:
        return timedelta(hours=self.least_gap_hours)


@dataclass(frozen=True, slots=True)
class Stop:
    """When enough is known: that many answers, or a score within ± `margin` points; with a property, for each of its
    values by itself. Of a campaign that asks in waves, each wave by itself."""

    answers: int | None = None
    margin: float | None = None
    property: str | None = None

    def __post_init__(self) -> None:
        if (self.answers is None) == (self.margin is None):
            raise AskingInvalid("Stop at a number of answers, or at a margin.", pointer="/asking/stop")
        if self.answers is not None:
            check_range("stop/answers", self.answers, 1, MOST_WANTED)
        if self.margin is not None:
            check_range("stop/margin", self.margin, 0.5, 50)
        if self.property is not None:
            _check_text("stop/property", self.property, LONGEST_KEY)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(content.get("answers"), content.get("margin"), content.get("property"))


@dataclass(frozen=True, slots=True)
class Variant:
    """What it leaves out, it asks like everybody. Texts are by language."""

    key: str
    weight: int = 1
    question: Mapping[str, str] = field(default_factory=dict)
    subject: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        weight = content.get("weight")
        texts = (dict(content.get(name) or {}) for name in ("question", "subject"))
        return cls(content["key"], 1 if weight is None else weight, *texts)

    @property
    def weighted(self) -> Weighted:
        return Weighted(self.key, self.weight)


def variants_from_json(content: Sequence[Mapping[str, Any]]) -> tuple[Variant, ...]:
    variants = tuple(Variant.from_json(one) for one in content)
    if len(variants) > MOST_VARIANTS:
        raise AskingInvalid(f"Compare at most {MOST_VARIANTS} variants.", pointer="/asking/variants")
    seen: set[str] = set()
    for place, variant in enumerate(variants):
        _check_variant(f"variants/{place}", variant)
        if variant.key in seen:
            raise AskingInvalid(f"{variant.key} is there twice.", pointer=f"/asking/variants/{place}/key")
        seen.add(variant.key)
    if variants and not any(variant.weight for variant in variants):
        raise AskingInvalid("At least one variant has a weight.", pointer="/asking/variants/0/weight")
    return variants


def _check_variant(at: str, variant: Variant) -> None:
    _check_text(f"{at}/key", variant.key, LONGEST_VARIANT_KEY)
    check_range(f"{at}/weight", variant.weight, 0, HEAVIEST)
    check_texts(f"{at}/question", variant.question, LONGEST_TEXT)
    check_texts(f"{at}/subject", variant.subject, LONGEST_SUBJECT)


class SenderKind(StrEnum):
    WORKSPACE = "workspace"
    ACCOUNT_OWNER = "account_owner"  # whoever looks after the recipient's account, where its owner is an address


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """What is left out comes from the workspace. Subject and intro are by language."""

    from_name: str | None = None
    from_email: str | None = None
    reply_to: str | None = None
    sender: SenderKind = SenderKind.WORKSPACE
    subject: Mapping[str, str] = field(default_factory=dict)
    intro: Mapping[str, str] = field(default_factory=dict)
    confirmation: Confirmation = Confirmation.AUTO

    def __post_init__(self) -> None:
        if self.from_name is not None:
            _check_text("email/from_name", self.from_name, LONGEST_NAME)
        for name in ("from_email", "reply_to"):
            address = getattr(self, name)
            if address is not None:
                _check_address(f"email/{name}", address)
        check_texts("email/subject", self.subject, LONGEST_SUBJECT)
        check_texts("email/intro", self.intro, LONGEST_TEXT)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        return cls(
            content.get("from_name"),
            content.get("from_email"),
            content.get("reply_to"),
            SenderKind(content.get("sender") or SenderKind.WORKSPACE),
            dict(content.get("subject") or {}),
            dict(content.get("intro") or {}),
            Confirmation(content.get("confirmation") or Confirmation.AUTO),
        )


def check_texts(at: str, texts: Mapping[str, str], longest: int) -> None:
    for language, text in texts.items():
        where = f"{at}{json_pointer(language)}"
        _check_text(where, text, longest, may_break=longest == LONGEST_TEXT)
        for detail in merge_field_faults(text):
            raise AskingInvalid(detail, pointer=f"/asking/{where}")


def _check_text(at: str, text: str, longest: int, *, may_break: bool = False) -> None:
    """Lines stay lines: what goes into the header of a mail must not begin another."""
    if not 1 <= len(text) <= longest:
        raise AskingInvalid(f"Write 1 to {longest} characters.", pointer=f"/asking/{at}")
    if (UNSTORABLE if may_break else CONTROL).search(text):
        raise AskingInvalid("Leave out control characters.", pointer=f"/asking/{at}")


def _check_address(at: str, address: str) -> None:
    try:
        email_address(address)
    except RecipientInvalid as error:
        raise AskingInvalid(error.detail, pointer=f"/asking/{at}") from None
