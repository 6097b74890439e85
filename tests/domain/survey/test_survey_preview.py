from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.survey.survey_preview import LONGEST_TOKEN, Previewed, preview_path, read_preview

KEY, NOW = b"k" * 32, datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMED = Previewed(UUID(int=7), UUID(int=8), NOW + timedelta(days=30), UUID(int=9), "pt-BR", "ü" * 40)
MADE_UP = Previewed(UUID(int=7), UUID(int=8), NOW + timedelta(days=30))


def token_of(shown: Previewed, key: bytes = KEY) -> str:
    return preview_path(key, shown).removeprefix("/s/preview/")


@pytest.mark.parametrize("shown", [NAMED, MADE_UP])
def test_a_link_says_what_it_shows(shown: Previewed) -> None:
    token = token_of(shown)
    assert read_preview(KEY, token, now=NOW) == shown
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(token) <= LONGEST_TOKEN


def test_nobody_else_can_make_or_change_one() -> None:
    token = token_of(MADE_UP)
    assert read_preview(b"K" * 32, token, now=NOW) is None
    for at in range(len(token)):
        forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert read_preview(KEY, forged, now=NOW) is None, at


def test_a_link_ends_with_its_time() -> None:
    assert read_preview(KEY, token_of(MADE_UP), now=MADE_UP.until - timedelta(seconds=1)) == MADE_UP
    assert read_preview(KEY, token_of(MADE_UP), now=MADE_UP.until) is None


@pytest.mark.parametrize("token", ["", "=", "a", "aaaa", "ä" * 40, "?" * 40, "A" * 91, "\x00" * 40])
def test_nonsense_is_no_link(token: str) -> None:
    assert read_preview(KEY, token, now=NOW) is None
