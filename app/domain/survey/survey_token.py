"""What a personal link ends in: `/s/{token}` asks, `/u/{token}` unsubscribes.

Derived from the invitation's id, so that a reminder carries the same link and a copy of the database opens none.
"""

import base64
import hashlib
import hmac
import re
from uuid import UUID

TOKEN_CHARACTERS = 22  # 132 bits; short, since mail programs break long List-Unsubscribe headers
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_CHARACTERS}}}", re.ASCII)


def survey_token(key: bytes, invitation_id: UUID) -> str:
    return _written(hmac.digest(key, invitation_id.bytes, hashlib.sha256))


def random_token(entropy: bytes) -> str:
    """For an invitation to an anonymous campaign: nobody can make it again. At least 17 random bytes."""
    return _written(entropy)


def unsubscribe_token(key: bytes, invitation_id: UUID) -> str:
    """The same in every mail of an invitation, also of an anonymous one, since it says nothing of an answer: the first
    mail is good for refusing when a reminder has come.
    """
    return survey_token(key, invitation_id)


def is_survey_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def token_digest(token: str) -> bytes:
    """What is kept of it. SHA-256 is enough, since nobody guesses 132 bits."""
    return hashlib.sha256(token.encode()).digest()


def anonymous_reference(key: bytes, token: str) -> UUID:
    """What makes answers through one link one answer, where nothing may lead from the answer to the link.

    The token is kept nowhere, and from its digest nobody gets here.
    """
    return UUID(bytes=hmac.digest(key, b"anonymous:" + token.encode(), hashlib.sha256)[:16])


def proof_of_answering(key: bytes, token: str, part: int) -> str:
    """What whoever sent this part of an anonymous answer knows, and nobody else who has the link. The next part makes
    it worthless.
    """
    return _written(hmac.digest(key, f"mine:{part}:{token}".encode(), hashlib.sha256))


def reward_holder(key: bytes, token: str) -> UUID:
    """Whose a reward code is: whoever holds the link of an anonymous campaign. Leads neither to the answer that came
    through it nor to the person.
    """
    return UUID(bytes=hmac.digest(key, b"reward:" + token.encode(), hashlib.sha256)[:16])


def _written(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest)[:TOKEN_CHARACTERS].decode()
