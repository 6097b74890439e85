"""The fixed words of mails, in the languages we speak: one file each."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "pages" / "mail" / "texts"  # part of the program, as its sources are
PLAIN = "en"

Words = Mapping[str, str]


def words_in(language: str) -> tuple[str, Words]:
    """With the language they are in: this one, else its base, else a sibling (pt-PT gets pt-BR), else English."""
    spoken = all_words()
    base = language.partition("-")[0]
    sibling = next((known for known in spoken if known.partition("-")[0] == base), PLAIN)
    found = next((known for known in (language, base) if known in spoken), sibling)
    return found, spoken[found]


@cache
def all_words() -> Mapping[str, Words]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
