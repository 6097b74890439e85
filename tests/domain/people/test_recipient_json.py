from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.domain.people.identity import Directory, Person
from app.domain.people.recipient import RecipientInvalid
from app.domain.people.recipient_json import recipient_from_json

ALICES = UUID(int=1)
LONG_AGO, LATER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def read(refused_at: str) -> dict[str, object]:
    line = f'{{"email": "ada@example.com", "unsubscribed_at": {refused_at}}}'
    return dict(recipient_from_json(line, number=1, workspace_id=ALICES).given)


def test_a_line_may_say_since_when_somebody_wants_no_more() -> None:
    assert read('"2020-01-01T01:00:00+01:00"') == {"email": "ada@example.com", "unsubscribed_at": LONG_AGO}


def test_nobody_is_subscribed_again_by_saying_nothing() -> None:
    assert "unsubscribed_at" not in read("null")


@pytest.mark.parametrize(
    "said", ['"yes"', "true", "1577836800", '"2020-01-01"', '"2020-01-01T00:00:00"', '"0001-01-01T00:00Z"']
)
def test_what_is_no_instant_is_refused(said: str) -> None:
    with pytest.raises(RecipientInvalid) as refused:
        read(said)
    assert refused.value.pointer == "/unsubscribed_at"


def test_the_first_refusal_stands() -> None:
    stored = {"email": "ada@example.com", "properties": {}, "unsubscribed_at": LONG_AGO}
    directory = Directory([Person(ALICES, UUID(int=5), stored)])
    said = recipient_from_json(
        '{"email": "ada@example.com", "name": "Ada", "unsubscribed_at": "2026-01-01T00:00:00Z"}',
        workspace_id=ALICES,
        number=1,
    )
    directory.upsert(said, new_id=lambda: UUID(int=9))
    (ada,) = directory.people()
    assert (ada.after["name"], ada.after["unsubscribed_at"]) == ("Ada", LONG_AGO)


def test_a_later_refusal_of_somebody_who_had_none_counts() -> None:
    directory = Directory([Person(ALICES, UUID(int=5), {"email": "ada@example.com", "properties": {}})])
    said = recipient_from_json(
        '{"email": "ada@example.com", "unsubscribed_at": "2026-01-01T00:00:00Z"}', workspace_id=ALICES, number=1
    )
    directory.upsert(said, new_id=lambda: UUID(int=9))
    (ada,) = directory.people()
    assert ada.after["unsubscribed_at"] == LATER
