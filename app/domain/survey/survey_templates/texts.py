"""The shape of what is written for a language: one file each, so that whoever speaks it can look it over."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bands:
    """A text for each band; metrics without a middle leave it out."""

    promoter: str
    passive: str
    detractor: str


@dataclass(frozen=True, slots=True)
class Wording:
    """`thank_you` None: the language's usual one."""

    question: str
    follow_up: Bands
    thank_you: Bands | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A further question, and its options by their ids."""

    text: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LanguageTexts:
    """`labels`: the ends of each metric's scale, by metric. `choices` by question id. `wordings` by template."""

    labels: Mapping[str, tuple[str, str]]
    thank_you: Bands
    choices: Mapping[str, Choice]
    wordings: Mapping[str, Wording]
