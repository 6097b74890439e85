"""Languages, as far as a page has to know about them."""

from collections.abc import Collection
from typing import Literal

PLAIN = "en"  # what we say to whoever speaks nothing that we do

# Scripts and the languages usually written in them, of which only right-to-left ones need naming (CLDR).
RIGHT_TO_LEFT_SCRIPTS = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})
RIGHT_TO_LEFT = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ji", "ks", "lrc", "mzn", "nqo", "prs", "ps", "sd", "syr", "ug", "ur",
     "yi"}
)  # fmt: skip


def nearest_spoken(language: str, spoken: Collection[str]) -> str:
    """The language itself, else a broader or a sibling one (pt-PT gets pt-BR), else English."""
    base = language.partition("-")[0]
    sibling = next((known for known in spoken if known.partition("-")[0] == base), PLAIN)
    return next((known for known in (language, base) if known in spoken), sibling)


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Of a tag such as ar, fa-AF or az-Arab; a script named in the tag decides."""
    base, *subtags = language.split("-")
    script = next((subtag.title() for subtag in subtags if len(subtag) == 4 and subtag.isalpha()), None)
    is_right_to_left = script in RIGHT_TO_LEFT_SCRIPTS if script else base.lower() in RIGHT_TO_LEFT
    return "rtl" if is_right_to_left else "ltr"
