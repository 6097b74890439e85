"""Links that show a survey as somebody would meet it, and take nothing: what they show stands in them, signed."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.domain.base64url import decoded, encoded

LASTS = timedelta(days=30)
PLACE = "/s/preview"
LONGEST_TOKEN = 400  # characters
_MAC_BYTES = 16
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Previewed:
    """Without a recipient it is shown to somebody made up."""

    workspace_id: UUID
    campaign_id: UUID
    until: datetime
    recipient_id: UUID | None = None
    language: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewLinks:
    """Makes them."""

    address: str  # of this service
    key: bytes = field(repr=False)

    def to(self, shown: Previewed) -> str:
        return self.address + preview_path(self.key, shown)


def preview_path(key: bytes, shown: Previewed) -> str:
    ids = (shown.workspace_id, shown.campaign_id, shown.recipient_id or _NOBODY)
    until = int(shown.until.timestamp()).to_bytes(5)
    chosen = json.dumps([shown.language, shown.variant], separators=(",", ":"), ensure_ascii=False).encode()
    content = b"".join(one.bytes for one in ids) + until + chosen
    return f"{PLACE}/{encoded(_mac(key, content) + content)}"


def read_preview(key: bytes, token: str, *, now: datetime) -> Previewed | None:
    """None for what we have not signed, and for what is over."""
    raw = decoded(token) or b""
    mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, content)):
        return None
    workspace_id, campaign_id, recipient_id = (UUID(bytes=content[at : at + 16]) for at in (0, 16, 32))
    language, variant = json.loads(content[53:])
    until = datetime.fromtimestamp(int.from_bytes(content[48:53]), now.tzinfo)
    someone = recipient_id if recipient_id != _NOBODY else None
    return Previewed(workspace_id, campaign_id, until, someone, language, variant) if now < until else None


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, b"preview:" + content, hashlib.sha256)[:_MAC_BYTES]
