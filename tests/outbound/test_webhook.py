import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.clock import utc_now
from app.domain.webhooks.webhook_secret import new_private_key, new_shared_secret, public_key_of, read_secret
from app.outbound.webhook import headers_for, post_webhook
from tests.outbound.receivers import a_client, answer, answering, receiver

VECTOR_ID, VECTOR_TIMESTAMP, VECTOR_BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
SHARED_VECTOR = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE_VECTOR = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="

texts = st.text(st.characters(exclude_categories=["Cs"]))
bodies = st.dictionaries(texts, texts).map(lambda value: json.dumps(value, ensure_ascii=False).encode())
secrets = st.binary(min_size=24, max_size=64).map(new_shared_secret)
webhook_ids = st.from_regex(r"evt_[A-Za-z0-9_-]{1,40}", fullmatch=True)


def signed(webhook_id: str, body: bytes, *secrets: str, at: datetime | None = None) -> dict[str, str]:
    keys = [read_secret(secret) for secret in secrets]
    return headers_for(webhook_id, timestamp=int((at or utc_now()).timestamp()), body=body, secrets=keys)


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        (SHARED_VECTOR, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (
            PRIVATE_VECTOR,
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
        ),
    ],
)
def test_the_published_vectors_come_out(secret, signature):
    headers = headers_for(VECTOR_ID, timestamp=VECTOR_TIMESTAMP, body=VECTOR_BODY, secrets=[read_secret(secret)])

    assert headers == {
        "content-type": "application/json",
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": signature,
    }


@given(webhook_id=webhook_ids, body=bodies, secret=secrets)
def test_the_reference_library_accepts_every_signature(webhook_id, body, secret):
    assert Webhook(secret).verify(body, signed(webhook_id, body, secret)) == json.loads(body)


@given(body=bodies, live=st.lists(secrets, min_size=1, max_size=4, unique=True), other=secrets)
def test_in_a_rotation_every_live_secret_verifies_and_no_other(body, live, other):
    headers = signed("evt_1", body, new_private_key(bytes(32)), *live)

    for secret in live:
        Webhook(secret).verify(body, headers)
    if other not in live:
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(body, headers)


@given(body=bodies, secret=secrets)
def test_a_changed_body_id_or_time_is_not_accepted(body, secret):
    headers = signed("evt_1", body, secret)

    for tampered in (
        headers | {"webhook-id": "evt_2"},
        headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)},
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, tampered)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)


@given(seed=st.binary(min_size=32, max_size=32), body=st.binary())
def test_the_public_key_verifies_ed25519_signatures(seed, body):
    private = new_private_key(seed)
    headers = signed("evt_1", body, private)
    tag, _, signature = headers["webhook-signature"].partition(",")
    content = f"evt_1.{headers['webhook-timestamp']}.".encode() + body

    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key_of(private).removeprefix("whpk_")))
    key.verify(b64decode(signature), content)
    assert tag == "v1a"
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(signature), content + b" ")


def test_an_id_with_a_full_stop_is_never_signed():
    with pytest.raises(ValueError, match="full stop"):
        signed("evt.1", b"{}", SHARED_VECTOR)


async def test_a_receiver_can_verify_what_arrives():
    secret, old = new_shared_secret(b"n" * 32), new_shared_secret(b"o" * 24)
    body = '{"type":"response.created","data":{"comment":"schön — ★"}}'.encode()

    async with receiver(answering(answer("204 No Content"))) as here, a_client() as client:
        outcome = await post_webhook(
            client,
            here.url,
            webhook_id="evt_1",
            body=body,
            secrets=[read_secret(secret), read_secret(old)],
            now=utc_now(),
            deadline_seconds=5.0,
        )

    head, _, received = here.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert (outcome.status, outcome.failure) == (204, None)
    assert headers["content-type"] == "application/json"
    assert Webhook(secret).verify(received, headers) == Webhook(old).verify(received, headers) == json.loads(body)


def test_every_attempt_is_signed_for_its_own_time():
    first, second = (
        signed("evt_1", b"{}", SHARED_VECTOR, at=datetime(2026, 11, 22, 10, m, tzinfo=UTC)) for m in (0, 5)
    )

    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 300
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]
