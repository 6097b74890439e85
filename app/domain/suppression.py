"""What outlives an erasure: that an address said no and when it was last asked, known only by a keyed digest."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

ADDRESSES = ("email", "phone")


def address_digests(workspace_id: UUID, fields: Mapping[str, Any], *, key: bytes) -> Iterable[bytes]:
    """HMAC-SHA256 of each address; the workspace is part of it, so that digests of two tenants cannot be compared."""
    for kind in ADDRESSES:
        if fields.get(kind):
            yield hmac.digest(key, b"%s:%s:%s" % (workspace_id.bytes, kind.encode(), fields[kind].encode()), "sha256")
