"""The filters in the documentation can be read, and it names everything there is."""

import json
import re
from pathlib import Path

import pytest

from app.domain.audience.audience_fields import ACCOUNT, HISTORY, IN_ONE_CAMPAIGN, PERSON, About, Operator
from app.domain.audience.audience_json import read_filter
from app.domain.audience.audience_selection import HeldBack

PAGE = (Path(__file__).parents[2] / "docs" / "audiences.md").read_text(encoding="utf-8")
FILTERS = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
NAMES = [*PERSON, *ACCOUNT, *HISTORY, *IN_ONE_CAMPAIGN, *Operator, *HeldBack]


@pytest.mark.parametrize("document", FILTERS)
def test_each_filter_can_be_read(document: str) -> None:
    about = About.ANSWERS if "response.properties" in document else About.PEOPLE
    read_filter(json.loads(document), about=about)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_comparison_and_reason_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE
