"""What outlives an erasure, and the taking off of an address: that somebody said no and when they were last asked."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from app.domain.errors import Conflict
from app.domain.people.recipient import IDENTIFIERS


class RecipientErased(Conflict):
    """The person was erased after this was said."""

    code = "recipient_erased"


@dataclass(frozen=True, slots=True)
class Suppression:
    unsubscribed_at: datetime | None
    asked_at: datetime | None
    erased_at: datetime | None = None

    @classmethod
    def of(cls, person: Mapping[str, Any]) -> Self:
        """Whoever complained about mail said no, too."""
        refusals = [at for at in (person["unsubscribed_at"], person["complained_at"]) if at is not None]
        return cls(min(refusals, default=None), person["asked_at"])

    def imposed_on(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The person's fields with the strictest refusal and the latest ask."""
        unsubscribed = [at for at in (self.unsubscribed_at, fields.get("unsubscribed_at")) if at is not None]
        asked = [at for at in (self.asked_at, fields.get("asked_at")) if at is not None]
        return {
            **fields,
            "unsubscribed_at": min(unsubscribed, default=None),
            "asked_at": max(asked, default=None),
        }


def identifier_digest(workspace_id: UUID, kind: str, value: str, *, key: bytes) -> bytes:
    """HMAC-SHA256; the workspace is part of what is digested, so that two tenants' digests cannot be compared."""
    return hmac.digest(key, b"%s:%s:%s" % (workspace_id.bytes, kind.encode(), value.encode()), "sha256")


def digests_of(workspace_id: UUID, fields: Mapping[str, Any], *, key: bytes) -> list[bytes]:
    """Of every identifier among the fields."""
    return [identifier_digest(workspace_id, kind, fields[kind], key=key) for kind in IDENTIFIERS if fields.get(kind)]
