from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.webhooks.webhook_secret import (
    UnreadableSecret,
    new_private_key,
    new_shared_secret,
    public_key_of,
    read_secret,
)

SEED = bytes(range(32))


def test_a_new_shared_secret_reads_as_standard_webhooks_writes_it():
    assert new_shared_secret(b"\xff" * 32) == "whsec_//////////////////////////////////////////8="


@given(st.binary(min_size=24, max_size=64))
def test_every_new_shared_secret_can_be_read(random):
    assert read_secret(new_shared_secret(random)).sign(b"x").startswith("v1,")


@given(st.binary(min_size=32, max_size=32))
def test_every_new_key_pair_can_be_read(seed):
    private = new_private_key(seed)

    assert read_secret(private).sign(b"x").startswith("v1a,")
    assert public_key_of(private).startswith("whpk_")


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_shared_secret_has_24_to_64_bytes(size):
    with pytest.raises(UnreadableSecret, match="24 to 64"):
        new_shared_secret(b"x" * size)
    with pytest.raises(UnreadableSecret, match="24 to 64"):
        read_secret("whsec_" + b64encode(b"x" * size).decode())


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_not base64 at all, sorry dear",
        "whsec_MfKQ9r8GKYqr TwjUPD8ILPZIo2LaLaSw",
        "whsec_äöü",
        "whsk_" + b64encode(SEED).decode(),
        "whsk_" + b64encode(SEED + SEED).decode(),
        "whpk_" + b64encode(SEED).decode(),
    ],
)
def test_an_unreadable_secret_is_refused_without_being_repeated(secret):
    with pytest.raises(UnreadableSecret) as raised:
        read_secret(secret)

    assert raised.value.pointer == "/secret"
    assert len(secret) < 8 or secret[8:] not in raised.value.detail


@pytest.mark.parametrize("secret", [new_shared_secret(SEED), new_private_key(SEED)])
def test_a_key_does_not_show_itself(secret):
    key = read_secret(secret)

    assert secret[6:20] not in repr(key)
    assert "\\x00\\x01" not in repr(key)
