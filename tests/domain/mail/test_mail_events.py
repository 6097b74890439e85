"""What mail services tell, in their documented shapes, and what is none of it."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from app.domain.mail.letter import verp_address
from app.domain.mail.mail_events.dsn import LONGEST_REPORT, events_of_report
from app.domain.mail.mail_events.event import MailEvent, MailEventKind
from app.domain.mail.mail_events.mailgun import events_of_mailgun, is_from_mailgun
from app.domain.mail.mail_events.postmark import events_of_postmark
from app.domain.mail.mail_events.sendgrid import SIGNATURE, TIMESTAMP, events_of_sendgrid, is_from_sendgrid
from app.domain.mail.mail_events.sns import events_of_ses, is_certificate_url, is_of_amazon, is_signed

MESSAGE = UUID("01a202b71fe377459e0a98bcdd4060f5")
HEADER = f"<{MESSAGE.hex}@shop.example>"
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ADA = "ada@example.org"
Kind = MailEventKind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"event": "delivered"}, Kind.DELIVERED),
        ({"event": "bounce", "type": "bounce"}, Kind.HARD_BOUNCE),
        ({"event": "bounce", "type": "blocked"}, Kind.SOFT_BOUNCE),
        ({"event": "dropped", "reason": "Bounced Address"}, Kind.HARD_BOUNCE),
        ({"event": "dropped", "reason": "Spam Content"}, None),
        ({"event": "spamreport"}, Kind.COMPLAINED),
        ({"event": "group_unsubscribe"}, Kind.UNSUBSCRIBED),
        ({"event": "open"}, None),
    ],
)
def test_what_sendgrid_tells_of_a_mail_is_understood(said: dict[str, str], kind: MailEventKind | None) -> None:
    event = {"smtp-id": HEADER, "email": "Ada@example.org", "timestamp": int(AT.timestamp()), **said}
    assert events_of_sendgrid([event]) == ([MailEvent(kind, MESSAGE, ADA, AT)] if kind else [])


def test_sendgrids_signature_covers_time_and_body() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    signature = b64encode(key.sign(b"1700000000" + b"[]", ec.ECDSA(SHA256()))).decode()
    headers, now = {SIGNATURE: signature, TIMESTAMP: "1700000000"}, datetime.fromtimestamp(1_700_000_000, UTC)
    assert is_from_sendgrid(public, headers=headers, body=b"[]", now=now)
    assert not is_from_sendgrid(public, headers=headers, body=b"[ ]", now=now)
    assert not is_from_sendgrid(public, headers={**headers, TIMESTAMP: "1700000001"}, body=b"[]", now=now)
    assert not is_from_sendgrid(public, headers={}, body=b"[]", now=now)
    assert not is_from_sendgrid(public, headers={SIGNATURE: "!"}, body=b"[]", now=now)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"RecordType": "Delivery", "Recipient": ADA, "DeliveredAt": AT.isoformat()}, Kind.DELIVERED),
        ({"RecordType": "Bounce", "Type": "HardBounce", "Email": ADA, "BouncedAt": AT.isoformat()}, Kind.HARD_BOUNCE),
        ({"RecordType": "Bounce", "Type": "SoftBounce", "Email": ADA, "BouncedAt": AT.isoformat()}, Kind.SOFT_BOUNCE),
        ({"RecordType": "Bounce", "Type": "AutoResponder", "Email": ADA}, None),
        ({"RecordType": "SpamComplaint", "Email": ADA, "BouncedAt": AT.isoformat()}, Kind.COMPLAINED),
        (
            {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression",
             "Recipient": ADA, "ChangedAt": AT.isoformat()}, Kind.UNSUBSCRIBED,
        ),
        ({"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "HardBounce"}, None),
        ({"RecordType": "Open", "Recipient": ADA}, None),
    ],
)  # fmt: skip
def test_what_postmark_tells_of_a_mail_is_understood(said: dict[str, Any], kind: MailEventKind | None) -> None:
    assert events_of_postmark(said) == ([MailEvent(kind, None, ADA, AT)] if kind else [])


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"event": "delivered"}, Kind.DELIVERED),
        ({"event": "failed", "severity": "permanent"}, Kind.HARD_BOUNCE),
        ({"event": "failed", "severity": "permanent", "reason": "suppress-complaint"}, None),
        ({"event": "failed", "severity": "temporary"}, Kind.SOFT_BOUNCE),
        ({"event": "complained"}, Kind.COMPLAINED),
        ({"event": "opened"}, None),
    ],
)
def test_what_mailgun_tells_of_a_mail_is_understood(said: dict[str, Any], kind: MailEventKind | None) -> None:
    message = {"headers": {"message-id": HEADER.strip("<>")}}
    content = {"event-data": {"recipient": ADA, "timestamp": AT.timestamp(), "message": message, **said}}
    assert events_of_mailgun(content) == ([MailEvent(kind, MESSAGE, ADA, AT)] if kind else [])


def test_mailguns_signature_is_fresh_and_made_with_the_key() -> None:
    stamp = str(int(AT.timestamp()))
    signature = hmac.new(b"key", f"{stamp}token".encode(), "sha256").hexdigest()
    content = {"signature": {"timestamp": stamp, "token": "token", "signature": signature}}
    assert is_from_mailgun("key", content, now=AT)
    assert not is_from_mailgun("another", content, now=AT)
    assert not is_from_mailgun("key", content, now=AT + timedelta(days=1))
    assert not is_from_mailgun("key", {}, now=AT)


def ses(kind: str, part: str, names: str, **more: Any) -> dict[str, object]:
    said = {
        "eventType": kind,
        "mail": {"source": verp_address("bounces@shop.example", MESSAGE), "commonHeaders": {"messageId": "<x@amazon>"}},
        part: {names: [{"emailAddress": "Ada <ada@example.org>"}], "timestamp": "2026-11-22T09:30:00.000Z", **more},
    }
    return {"Type": "Notification", "Message": json.dumps(said)}


@pytest.mark.parametrize(
    ("envelope", "kind"),
    [
        (ses("Bounce", "bounce", "bouncedRecipients", bounceType="Permanent"), Kind.HARD_BOUNCE),
        (ses("Bounce", "bounce", "bouncedRecipients", bounceType="Transient"), Kind.SOFT_BOUNCE),
        (ses("Complaint", "complaint", "complainedRecipients"), Kind.COMPLAINED),
        (ses("Delivery", "delivery", "recipients"), Kind.DELIVERED),
    ],
)
def test_ses_names_the_mail_by_the_address_it_was_sent_from(envelope: dict[str, object], kind: MailEventKind) -> None:
    assert events_of_ses(envelope) == [MailEvent(kind, MESSAGE, ADA, AT)]


@pytest.mark.parametrize(("feedback", "told"), [("abuse", 1), ("fraud", 1), ("not-spam", 0), ("auth-failure", 0)])
def test_not_every_report_is_a_complaint(feedback: str, told: int) -> None:
    said = ses("Complaint", "complaint", "complainedRecipients", complaintFeedbackType=feedback)
    assert len(events_of_ses(said)) == told


@pytest.mark.parametrize(("version", "algorithm"), [("1", SHA1()), ("2", SHA256())])
def test_amazons_signature_covers_every_field(version: str, algorithm: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    envelope = {
        "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu-central-1:1:t", "Message": "{}",
        "Subject": "s", "Timestamp": "2026-11-22T09:30:00.000Z", "SignatureVersion": version,
    }  # fmt: skip
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names)
    envelope["Signature"] = b64encode(key.sign(text.encode(), padding.PKCS1v15(), algorithm)).decode()
    assert is_signed(envelope, certificate=certificate_of(key))
    for name in names:
        assert not is_signed({**envelope, name: "other"}, certificate=certificate_of(key)), name
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert not is_signed(envelope, certificate=certificate_of(stranger))
    assert not is_signed(envelope, certificate=b"nonsense")


def certificate_of(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(AT).not_valid_after(AT + timedelta(days=400))
    return dated.sign(key, SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/x.pem", "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem", "https://sns.eu-central-1.amazonaws.com:8443/x.pem",
        "https://u@sns.eu-central-1.amazonaws.com/x.pem", "https://s3.eu-central-1.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/x.pem", "", None, "https://[", "file:///x.pem",
    ],
)  # fmt: skip
def test_nothing_is_fetched_but_from_amazon(url: object) -> None:
    assert not is_of_amazon(url)
    assert not is_certificate_url(url)


def test_amazons_own_addresses_are_known() -> None:
    for host in (
        "sns.eu-central-1.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
    ):
        assert is_certificate_url(f"https://{host}/SimpleNotificationService-1.pem")
    assert not is_certificate_url("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription")


REPORT = """From: MAILER-DAEMON@mx.example.org
To: <bounces+{message}@shop.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"
MIME-Version: 1.0

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; Ada@example.org
Action: {action}
Status: {status}

--b
Content-Type: text/rfc822-headers

Message-ID: {header}
Subject: How are we doing?

--b--
"""


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", Kind.HARD_BOUNCE),
        ("failed", "5.1.1 (bad mailbox)", Kind.HARD_BOUNCE),
        ("failed", "5.1.8", Kind.SOFT_BOUNCE),  # of the sender's domain
        ("failed", "5.2.1", Kind.HARD_BOUNCE),
        ("failed", "5.2.2", Kind.SOFT_BOUNCE),
        ("failed", "5.7.1", Kind.SOFT_BOUNCE),
        ("delayed", "4.4.7", Kind.SOFT_BOUNCE),
        ("delivered", "2.0.0", Kind.DELIVERED),
    ],
)
@pytest.mark.parametrize("names", ["header", "envelope"])
def test_a_bounced_mail_names_our_mail_by_either_way(action: str, status: str, kind: MailEventKind, names: str) -> None:
    header = HEADER if names == "header" else "<theirs@mx.example.org>"
    message = MESSAGE.hex if names == "envelope" else "x"
    raw = REPORT.format(action=action, status=status, header=header, message=message).encode()
    assert events_of_report(raw) == [MailEvent(kind, MESSAGE, ADA)]


def test_our_mail_is_found_where_its_bounce_was_passed_on_to_an_address_with_a_plus() -> None:
    raw = REPORT.format(action="failed", status="5.1.1", header="<theirs@mx.example.org>", message=MESSAGE.hex)
    (event,) = events_of_report(f"Delivered-To: ops+bounces@shop.example\n{raw}".encode())
    assert event.message_id == MESSAGE


def test_a_feedback_report_is_a_complaint() -> None:
    raw = f"""Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{verp_address("bounces@shop.example", MESSAGE)}>
Original-Rcpt-To: <ada@example.org>

--b
Content-Type: message/rfc822

From: surveys@shop.example
Subject: How are we doing?

Hello
--b--
""".encode()
    assert events_of_report(raw) == [MailEvent(Kind.COMPLAINED, MESSAGE, ADA)]


@pytest.mark.parametrize(
    "raw", [b"", b"Subject: Out of office\n\nI am away.", b"Content-Type: multipart/report\n\n", b"\xff\x00\n\n\xff"]
)
def test_an_answer_is_no_bounce(raw: bytes) -> None:
    assert events_of_report(raw) == []


NESTED = b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(3_000))


@pytest.mark.parametrize("more", [b"To: " + b"(" * 5_000 + b"\n\n", b"\n" + NESTED])
def test_what_no_mail_server_writes_is_no_bounce(more: bytes) -> None:
    assert events_of_report(b"Content-Type: multipart/report; boundary=b0\n" + more) == []


def test_a_report_is_read_as_far_as_reports_go() -> None:
    bounce = REPORT.format(action="failed", status="5.1.1", header="", message=MESSAGE.hex)
    for room, told in ((LONGEST_REPORT // 2, 1), (LONGEST_REPORT, 0)):
        padded = bounce.replace("It could not be delivered.", "It could not be delivered.\n" * (room // 27))
        assert len(events_of_report(padded.encode())) == told
    (event,) = events_of_report(bounce.replace("To: ", f"To: {'a, ' * 500}").encode())
    assert event.message_id is None


@given(st.binary(max_size=300))
def test_whatever_is_mailed_is_read_without_an_accident(raw: bytes) -> None:
    events_of_report(raw)
    events_of_report(b"Content-Type: multipart/report; boundary=b\n\n--b\n" + raw + b"\n--b--")
