"""What pages say of their own accord, in the languages we speak: one file each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from app.api.pages import PAGES
from app.domain.survey.language import direction, nearest_spoken

FOLDER = PAGES / "survey" / "texts"

# Of languages that surveys come in and we do not speak.
NAMES = {
    "cs": "Čeština", "da": "Dansk", "el": "Ελληνικά", "fa": "فارسی", "fi": "Suomi", "he": "עברית", "hi": "हिन्दी",
    "hu": "Magyar", "id": "Bahasa Indonesia", "ko": "한국어", "nb": "Norsk bokmål", "no": "Norsk", "pl": "Polski",
    "pt": "Português", "pt-PT": "Português (Portugal)", "ro": "Română", "ru": "Русский", "sk": "Slovenčina",
    "sv": "Svenska", "th": "ไทย", "tr": "Türkçe", "uk": "Українська", "vi": "Tiếng Việt", "zh": "中文",
    "zh-Hans": "简体中文", "zh-Hant": "繁體中文",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    language: str
    texts: Mapping[str, str]

    @property
    def direction(self) -> str:
        return direction(self.language)


def words_for(language: str) -> Words:
    """In the nearest language that we speak."""
    spoken = all_words()
    found = nearest_spoken(language, spoken)
    return Words(found, spoken[found])


def name_of(language: str) -> str:
    """As its speakers call it; the tag itself where we do not know."""
    spoken = all_words().get(language)
    return spoken["language"] if spoken else NAMES.get(language, language)


@cache
def all_words() -> dict[str, dict[str, str]]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
