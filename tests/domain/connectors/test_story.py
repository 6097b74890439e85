from dataclasses import replace

import pytest

from app.domain.connectors.story import Person
from tests.outbound.connectors.stories import STORY


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Ada Lovelace", ("Ada", "Lovelace")),
        ("Ada King Lovelace", ("Ada King", "Lovelace")),
        ("Ada", ("Ada", "")),
        ("  Ada  Lovelace ", ("Ada", "Lovelace")),
        ("", ("", "")),
        (None, ("", "")),
    ],
)
def test_a_name_is_split_before_its_last_word(name: str | None, names: tuple[str, str]) -> None:
    assert replace(STORY, person=Person("rcpt_1", email="ada@example.com", name=name)).names == names


def test_nobody_has_no_names() -> None:
    assert replace(STORY, person=None).names == ("", "")
