"""The JSON of request bodies is read as strictly as any other."""

from app.domain.strict_json import UnreadableJson, strict_json

__all__ = ["UnreadableJson", "strict_json"]
