"""The templates in the documentation are ones that can be saved."""

import json
import re
from pathlib import Path

import pytest

from app.domain.webhooks.payload_template import JSON, read_template
from app.domain.webhooks.template_filters import FILTERS
from app.domain.webhooks.template_trial import TRIAL, check_template

PAGE = (Path(__file__).parents[2] / "docs" / "webhook-endpoints.md").read_text(encoding="utf-8")
TEMPLATES = re.findall(r"```jinja\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.mark.parametrize("source", TEMPLATES)
def test_each_template_can_be_saved(source: str) -> None:
    check_template(source, content_type=JSON, event_types=[])


def test_delighteds_body_comes_out() -> None:
    body = json.loads(read_template(TEMPLATES[-1], content_type=JSON).render(TRIAL))
    assert body["event_type"] == "survey_response.created"
    assert body["event_data"]["created_at"] == 1_795_342_500
    assert body["event_data"]["person"]["email"] == "ada@example.com"


def test_every_filter_is_named() -> None:
    assert not [name for name in FILTERS if f"`{name}`" not in PAGE]
