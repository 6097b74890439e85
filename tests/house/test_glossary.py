"""One word for each thing: what tables and the API are called stands in GLOSSARY.md, and nothing under "never"."""

import re
from pathlib import Path

import pytest

from app.db.tables import metadata
from app.domain.events import EventType
from tests.contract import operations, the_document

GLOSSARY = (Path(__file__).parents[2] / "GLOSSARY.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.splitlines()
    if line.startswith("|") and not line.startswith("| word") and not line.startswith("|---")
]
WORDS = " ".join(word for word, *_ in ROWS).lower()
# A word with a remark in brackets is only wrong in that sense.
NEVER = {word.strip() for *_, never in ROWS for word in never.split(",") if "(" not in word and ")" not in word}

# Parts of paths that are acts, or forms of a thing, rather than things.
ACTS = {
    "v1", "bulk", "launch", "pause", "resume", "complete", "archive", "exclude", "restore", "unsubscribe", "rotate",
    "disable", "enable", "test", "retry", "widget", "livez", "readyz", "metrics", "errors", "errors.csv", "problems",
    "secrets", "sample", "stats", "cancel", "preview", "upload", "query", "survey-check",
    "email-preview", "survey-preview", "check",
}  # fmt: skip
NOUNS = sorted(
    {
        part
        for _, path, _ in operations(the_document())
        for part in path.strip("/").split("/")
        if not part.startswith("{") and part not in ACTS
    }
)


def singular(noun: str) -> str:
    words = noun.replace("-", " ").replace("_", " ")
    return re.sub(r"ies$", "y", words) if words.endswith("ies") else words.removesuffix("s")


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_table_is_in_the_glossary(table: str) -> None:
    assert f"`{table}`" in GLOSSARY


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_of_the_api_is_in_the_glossary(noun: str) -> None:
    assert any(singular(noun).endswith(word.lower()) for word, *_ in ROWS)


@pytest.mark.parametrize("event_type", sorted(EventType))
def test_events_are_about_things_in_the_glossary(event_type: str) -> None:
    assert event_type.partition(".")[0] in WORDS


def test_words_that_are_never_used_are_not() -> None:
    used = {singular(name) for name in (*metadata.tables, *NOUNS)}
    assert len(NEVER) > 30
    assert used & NEVER == set()
