import base64
import hashlib
import hmac
import os
from uuid import UUID, uuid4

import pytest

from app.domain.survey.survey_token import is_survey_token, random_token, survey_token, token_digest

KEY, INVITATION = b"k" * 32, UUID("0190f5a0-0000-7000-8000-000000000001")


def test_a_token_is_the_first_132_bits_of_an_hmac_of_the_invitation() -> None:
    token = survey_token(KEY, INVITATION)
    wanted = hmac.new(KEY, INVITATION.bytes, hashlib.sha256).digest()
    assert len(token) == 22
    assert base64.urlsafe_b64decode(token + "==")[:16] == wanted[:16]


def test_the_same_invitation_has_the_same_token_and_no_other_has_it() -> None:
    assert survey_token(KEY, INVITATION) == survey_token(KEY, INVITATION)
    assert survey_token(KEY, INVITATION) != survey_token(KEY, uuid4())
    assert survey_token(KEY, INVITATION) != survey_token(b"l" * 32, INVITATION)


def test_a_random_token_looks_like_any_other_and_does_not_come_twice() -> None:
    tokens = {random_token(os.urandom(17)) for _ in range(100)}
    assert len(tokens) == 100
    assert all(is_survey_token(token) for token in tokens)


@pytest.mark.parametrize("text", ["", "a" * 21, "a" * 23, "a" * 21 + "=", "a" * 21 + "é", "a" * 22 + "\n"])
def test_what_cannot_be_a_token_is_not_looked_up(text: str) -> None:
    assert not is_survey_token(text)


def test_the_address_of_a_link_fits_into_a_header_that_no_mail_program_folds() -> None:
    address = f"https://feedback.some-customer.example/u/{survey_token(KEY, INVITATION)}"
    assert len(address) <= 76


def test_the_digest_is_sha_256() -> None:
    token = survey_token(KEY, INVITATION)
    assert token_digest(token) == hashlib.sha256(token.encode()).digest()
