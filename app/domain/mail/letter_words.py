"""The fixed words of mails, in the languages we speak: one file each."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from app.domain.survey.language import nearest_spoken

FOLDER = Path(__file__).parents[2] / "pages" / "mail" / "texts"  # part of the program, as its sources are

Words = Mapping[str, str]


def words_in(language: str) -> tuple[str, Words]:
    """With the language they are in: the nearest to this one."""
    spoken = all_words()
    found = nearest_spoken(language, spoken)
    return found, spoken[found]


@cache
def all_words() -> Mapping[str, Words]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
