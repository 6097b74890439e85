import json
from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.webhooks.payload_template import (
    JSON,
    LONGEST_TEMPLATE,
    MOST_BYTES,
    PayloadTemplate,
    TemplateFailed,
    TemplateRefused,
)

EVENT = {
    "id": "evt_1",
    "type": "response.created",
    "timestamp": "2026-11-22T10:15:00.000000Z",
    "schema_version": 1,
    "livemode": True,
    "workspace_id": "ws_1",
    "data": {
        "response": {"score": 3, "comment": 'Slow, "sorry" ★\n', "may_contact": None},
        "recipient": {"name": "Ada", "properties": {"plan": "pro", "items": 12}},
        "tags": ["a", "b", "c"],
    },
}


def rendered(source: str, *, content_type: str = "text/plain", event=EVENT) -> str:
    return PayloadTemplate(source, content_type=content_type).render(event).decode()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ type }}", "response.created"),
        ("{{ data.response.score }}/10", "3/10"),
        ("{{ data['response']['score'] + 1 }}", "4"),
        ("{{ data.nobody.email }}|{{ data.response.may_contact }}|{{ livemode }}", "||true"),
        ("{{ data.recipient.properties.items }}", "12"),
        ("{{ data.recipient.properties.keys }}{{ data.tags.append }}{{ type.upper }}", ""),
        ("{% if data.response.score < 7 %}bad{% else %}good{% endif %}", "bad"),
        ("{{ 'yes' if 'Slow' in data.response.comment else 'no' }}", "yes"),
        ("{% for tag in data.tags %}{{ loop.index }}{{ tag }}{{ ',' if not loop.last }}{% endfor %}", "1a,2b,3c"),
        (
            "{% for key, value in data.recipient.properties | items %}{{ key }}={{ value }};{% endfor %}",
            "plan=pro;items=12;",
        ),
        ("{% for tag in data.none %}x{% else %}none{% endfor %}", "none"),
        ("{{ data.recipient.properties }}", '{"plan": "pro", "items": 12}'),
        ("{{ data.nobody | default('nobody') }} {{ data.response.may_contact | default(false) }}", "nobody false"),
        ("{{ data.recipient.name | upper }}{{ data.tags | join('-') }}{{ data.tags | length }}", "ADAa-b-c3"),
        ("{{ data.response.comment | trim | truncate(5) }}", "Slow…"),
        ("{{ data.response.comment[:4] }}{{ data.tags | last }}{{ data.tags[9] }}", "Slowc"),
        ("{{ '<a&b>' | xml }} {{ 'a b&c/ü' | urlencode }}", "&lt;a&amp;b&gt; a%20b%26c%2F%C3%BC"),
        ("{{ timestamp | unix_seconds }}", "1795342500"),
        ("{{ 'a' ~ data.response.score ~ none }}", "a3"),
        ("{# said to nobody #}{% if data.nobody is defined %}x{% endif %}{{ data.x.y is undefined }}", "true"),
    ],
)
def test_what_templates_say(source, text):
    assert rendered(source) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_tojson_is_json_whatever_anybody_typed(comment):
    event = {**EVENT, "data": {"response": {"comment": comment}}}
    said = rendered('{"text": {{ data.response.comment | tojson }}}', content_type=JSON, event=event)
    assert json.loads(said) == {"text": comment}


@pytest.mark.parametrize("source", ['{"text": "{{ data.response.comment }}"}', "{{ type }}", "", "NaN", "{" * 5_000])
def test_what_is_not_json_is_not_sent_as_json(source):
    with pytest.raises(TemplateFailed, match="not JSON"):
        rendered(source.replace("{" * 5_000, "{{ '[' }}" * 500 + "["), content_type=JSON)


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("{{ a", 1, "unexpected"),
        ("one\n{{ nobody }}", 2, "no nobody"),
        ("one\ntwo\n{% for x in data %}", 3, "end of template"),
        ("{{ data | nonsense }}", 1, "nonsense"),
        ("{{ data is nonsense }}", 1, "nonsense"),
        ("{{ range(9) }}", 1, "Call"),
        ("{{ type.upper() }}", 1, "Call"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", 1, "Call"),
        ("\n{% macro m() %}{% endmacro %}", 2, "Macro"),
        ("{% set x = 1 %}", 1, "Assign"),
        ("{% set x %}1{% endset %}", 1, "AssignBlock"),
        ("{% with x = 1 %}{% endwith %}", 1, "With"),
        ("{% filter upper %}x{% endfilter %}", 1, "FilterBlock"),
        ("{% include 'x' %}", 1, "Include"),
        ("{% import 'x' as y %}", 1, "Import"),
        ("{% extends 'x' %}", 1, "Extends"),
        ("{% block x %}{% endblock %}", 1, "Block"),
        ("{% autoescape true %}{% endautoescape %}", 1, "not allowed"),
        ("{{ 'x' * 1000000000 }}", 1, "Mul"),
        ("{{ 9 ** 9 ** 9 }}", 1, "Pow"),
        ("{{ '%1000000000d' % 1 }}", 1, "Mod"),
        ("{{ data.tags | join(*data.tags) }}", 1, "Filters"),
        ("{% for a in data recursive %}{% endfor %}", 1, "recursive"),
        ("{% for a in data %}" * 4 + "{% endfor %}" * 4, 1, "3 deep"),
        ("(" * 3_000 + ")" * 3_000, None, None),
        ("{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}", None, "deeply"),
        ("{% if data %}" * 200 + "{% endif %}" * 200, None, "deeply"),
        ("{{ " + "9" * 5_000 + " }}", None, "too long"),
        ("x" * (LONGEST_TEMPLATE + 1), None, "characters"),
    ],
)
def test_what_could_run_away_is_refused_with_its_line(source, line, reason):
    if reason is None:
        assert rendered(source) == source
        return
    with pytest.raises(TemplateRefused) as raised:
        PayloadTemplate(source, content_type=JSON)
    assert raised.value.pointer == "/template/source"
    assert raised.value.members["line"] == line
    assert reason in raised.value.detail
    assert line is None or raised.value.detail.startswith(f"Line {line}: ")


LONG = {**EVENT, "data": {"response": {"comment": "äß&" * 3_300}, "many": list(range(64))}}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% for a in data.many %}" * 3 + "x" + "{% endfor %}" * 3, "steps"),
        ("{% for a in data.response.comment %}{% for b in data.response.comment %}{% endfor %}{% endfor %}", "steps"),
        ("{{ data.response.comment | replace('ä', data.response.comment) }}", "characters"),
        ("{{ data.response.comment | replace('', data.response.comment) }}", "characters"),
        ("{% for a in data.many %}{{ data.response.comment }}{% endfor %}", "bytes"),
        ("\n{{ 1 + data.response.comment }}", "Line 2: "),
        ("{{ data.many[{}] }}{{ data[[]] }}", "TypeError"),
        ("{{ type | unix_seconds }}", "ValueError"),
        ("{{ data.many | round }}", "TypeError"),
    ],
)
def test_a_rendering_ends_soon_and_quotes_nothing(source, reason):
    template = PayloadTemplate(source, content_type="text/plain")
    started = perf_counter()
    with pytest.raises(TemplateFailed, match=reason) as raised:
        template.render(LONG)
    assert perf_counter() - started < 2
    assert "äß" not in str(raised.value)


def test_the_most_that_a_template_can_do_takes_a_moment():
    body = "{{ '' if data.response.comment < data.response.comment ~ 'x' }}" * 8
    source = "{% for a in data.many %}" * 3 + body + "{% endfor %}" * 3
    for content in (
        source,
        "{{ " + "~".join(["data.response.comment"] * 300) + " }}",
        "{{ '&' " + "| xml " * 80 + "}}",
    ):
        template = PayloadTemplate(content, content_type="text/plain")
        started = perf_counter()
        with suppress(TemplateFailed):
            assert len(template.render(LONG)) <= MOST_BYTES
        assert perf_counter() - started < 2
