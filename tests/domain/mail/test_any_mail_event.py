"""Whatever JSON a mail service, or somebody who says they are one, sends: it is read without an accident."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.mail import mail_events
from app.domain.mail.mail_events.mailgun import events_of_mailgun, is_from_mailgun
from app.domain.mail.mail_events.postmark import events_of_postmark
from app.domain.mail.mail_events.sendgrid import SIGNATURE, TIMESTAMP, events_of_sendgrid, is_from_sendgrid
from app.domain.mail.mail_events.sns import events_of_ses, is_certificate_url, is_fresh, is_of_amazon, is_signed
from tests.domain.mail.test_mail_events import AT

SOURCES = "".join(path.read_text() for path in Path(str(mail_events.__file__)).parent.glob("*.py"))
WORDS = sorted(set(re.findall(r'"([\w-]+)"', SOURCES)))  # every name and value that the readers know
KNOWN, TEXTS = st.sampled_from(WORDS), st.text(st.characters(), max_size=8)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXTS | KNOWN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KNOWN | TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KNOWN | TEXTS, ANYTHING, max_size=4)


def shaped(*path: str, **members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """As it is documented down to the member where anything may stand."""
    found: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
    for name in reversed(path):
        found = st.fixed_dictionaries({name: found})
    return found


MAILGUN = shaped("event-data", event=ANYTHING | KNOWN, severity=ANYTHING, reason=ANYTHING, timestamp=ANYTHING)
SIGNED = shaped("signature", timestamp=st.integers() | TEXTS, token=TEXTS, signature=TEXTS)
POSTMARK = shaped(RecordType=KNOWN, Type=ANYTHING, SuppressSending=ANYTHING, Email=ANYTHING, BouncedAt=ANYTHING)
SENDGRID = shaped(event=ANYTHING | KNOWN, type=ANYTHING, reason=ANYTHING, email=ANYTHING, timestamp=ANYTHING)
RECIPIENTS = shaped(bouncedRecipients=ANYTHING, recipients=ANYTHING, timestamp=ANYTHING, bounceType=ANYTHING)
SES = shaped(eventType=KNOWN, bounce=RECIPIENTS | ANYTHING, delivery=RECIPIENTS | ANYTHING, mail=ANYTHING)
ENVELOPE = shaped(
    SignatureVersion=st.sampled_from(["1", "2"]) | ANYTHING,
    Type=KNOWN | ANYTHING,
    Signature=ANYTHING,
    Message=ANYTHING,
    Timestamp=ANYTHING,
)


@pytest.mark.parametrize(
    "content",
    [
        {"event-data": {"event": []}}, {"event-data": {"event": {}}},
        {"event-data": {"event": "delivered", "reason": []}}, {"event-data": {"event": "failed", "severity": {}}},
    ],
)  # fmt: skip
def test_what_is_no_word_is_no_event_of_mailgun(content: Any) -> None:
    assert len(events_of_mailgun(content)) == (content["event-data"].get("reason") is not None)


@given(ANYTHING | MAILGUN | SIGNED)
def test_anything_may_come_as_mailguns(content: Any) -> None:
    events_of_mailgun(content)
    is_from_mailgun("key", content, now=AT)


@given(ANYTHING | POSTMARK)
def test_anything_may_come_as_postmarks(content: Any) -> None:
    events_of_postmark(content)


@given(ANYTHING | SENDGRID)
def test_anything_may_come_as_sendgrids(content: Any) -> None:
    events_of_sendgrid(content)
    events_of_sendgrid([content])


@given(TEXTS, TEXTS, TEXTS, st.binary(max_size=20))
def test_nothing_made_up_is_signed_by_sendgrid(key: str, signature: str, timestamp: str, body: bytes) -> None:
    assert not is_from_sendgrid(key, headers={SIGNATURE: signature, TIMESTAMP: timestamp}, body=body, now=AT)


@given(OBJECTS | ENVELOPE, ANYTHING | SES, st.binary(max_size=20))
def test_anything_may_come_as_amazons_and_nothing_made_up_is_signed_by_it(
    envelope: Any, content: Any, certificate: bytes
) -> None:
    events_of_ses(envelope)
    events_of_ses({"Message": json.dumps(content)})
    is_fresh(envelope, heard_at=AT)
    assert not is_signed(envelope, certificate=certificate)
    for url in (content, envelope.get("Message")):
        is_of_amazon(url)
        is_certificate_url(url)
