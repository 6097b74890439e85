"""What would break somebody between two versions of the contract: v1 only grows.

Requests may only be asked for less, replies may only tell more. So a request schema may widen (optional fields, more
values) and a reply schema may gain fields; the other way round is a break. Values may be added to an enum that we
send: readers were told to expect them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Document = Mapping[str, Any]
Seen = frozenset[tuple[int, int]]

LIMITS = {  # of what we take: which way is looser
    "maxLength": 1, "maximum": 1, "exclusiveMaximum": 1, "maxItems": 1, "maxProperties": 1,
    "minLength": -1, "minimum": -1, "exclusiveMinimum": -1, "minItems": -1, "minProperties": -1,
}  # fmt: skip


def breaks(old: Document, new: Document) -> list[str]:
    """One sentence for each; none if nobody notices the difference."""
    return [*_operations(old, new, "paths"), *_operations(old, new, "webhooks")]


def _operations(old: Document, new: Document, part: str) -> Iterator[str]:
    for path, methods in old.get(part, {}).items():
        for method, before in methods.items():
            after = new.get(part, {}).get(path, {}).get(method)
            place = f"{method.upper()} {path}"
            if after is None:
                yield f"{place} is gone"
            elif part == "webhooks":
                yield from _Difference(old, new, is_request=False).body(before, after, place)
            else:
                yield from _operation(_Difference(old, new, is_request=True), before, after, place)


def _operation(difference: "_Difference", before: Schema, after: Schema, place: str) -> Iterator[str]:
    if before["operationId"] != after["operationId"]:
        yield f"{place} is no longer called {before['operationId']}"
    yield from _security(before, after, place)
    yield from difference.parameters(before, after, place)
    yield from difference.body(before, after, place)
    yield from difference.turned_round().replies(before, after, place)


def _security(before: Schema, after: Schema, place: str) -> Iterator[str]:
    """Each way to be let in must still be one, with no more scopes."""
    ways = after.get("security", [{}])
    for way in before.get("security", [{}]):
        if not any(set(kept) <= set(way) and all(set(kept[name]) <= set(way[name]) for name in kept) for kept in ways):
            yield f"{place} no longer lets in {way or 'everybody'}"


class _Difference:
    def __init__(self, old: Document, new: Document, *, is_request: bool) -> None:
        self._old, self._new, self._is_request = old, new, is_request

    def turned_round(self) -> "_Difference":
        return _Difference(self._old, self._new, is_request=not self._is_request)

    def parameters(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        known = {_key(one): one for one in map(self._before, before.get("parameters", ()))}
        kept = {_key(one): one for one in map(self._after, after.get("parameters", ()))}
        for key, one in known.items():
            where = f"{place}, parameter {key[1]}"
            if key not in kept:
                yield f"{where} is gone"
            else:
                yield from self.schema(one["schema"], kept[key]["schema"], where)
        for key, one in kept.items():
            if one.get("required") and not known.get(key, {}).get("required"):
                yield f"{place}, parameter {key[1]} is needed now"

    def body(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        wanted, given = after.get("requestBody"), before.get("requestBody")
        if given is None:
            if wanted is not None and wanted.get("required"):
                yield f"{place} needs a body now"
            return
        if wanted is None:
            yield f"{place} takes no body any more"
            return
        if wanted.get("required") and not given.get("required"):
            yield f"{place} needs a body now"
        yield from self._content(given["content"], wanted["content"], f"{place}, body")

    def replies(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        for status, reply in before["responses"].items():
            if not status.startswith("2"):
                continue  # the codes of refusals are a list that grows; their schema is one
            if status not in after["responses"]:
                yield f"{place} no longer answers {status}"
                continue
            old, new = self._before(reply), self._after(after["responses"][status])
            yield from self._content(old.get("content", {}), new.get("content", {}), f"{place}, {status}")

    def _content(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        for media_type, media in before.items():
            if media_type not in after:
                yield f"{place} is no longer {media_type}"
            else:
                yield from self.schema(media["schema"], after[media_type]["schema"], place)

    def schema(self, before: Schema, after: Schema, place: str, seen: Seen = frozenset()) -> Iterator[str]:
        """Of several alternatives, each that was (in a request) or is (in a reply) has to suit one of the others."""
        olds, news = _alternatives(self._old, before), _alternatives(self._new, after)
        for one in olds if self._is_request else news:
            others = news if self._is_request else olds
            pairs = ((one, other) if self._is_request else (other, one) for other in others)
            yield from min(([*self._plain(*pair, place, seen)] for pair in pairs), key=len)

    def _plain(self, before: Schema, after: Schema, place: str, seen: Seen) -> Iterator[str]:
        if (id(before), id(after)) in seen:
            return
        seen |= {(id(before), id(after))}
        yield from self._types(before, after, place)
        yield from self._values(before, after, place)
        yield from self._limits(before, after, place)
        yield from self._fields(before, after, place, seen)
        for name, sign in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(before.get(name), dict) and isinstance(after.get(name), dict):
                yield from self.schema(before[name], after[name], f"{place}{sign}", seen)

    def _types(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        old, new = _kinds(before), _kinds(after)
        narrower, wider = (old, new) if self._is_request else (new, old)
        if wider and (not narrower or not narrower <= wider | ({"integer"} if "number" in wider else set())):
            yield f"{place} was {_either(old)} and is {_either(new)}"
        if before.get("format") != after.get("format") and (after.get("format") or not self._is_request):
            yield f"{place} was {before.get('format', 'any text')} and is {after.get('format', 'any text')}"

    def _values(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        old, new = _allowed(before), _allowed(after)
        if not self._is_request:
            if "const" in before and old != new:
                yield f"{place} was always {before['const']}"
            return
        if new is not None and (old is None or not old <= new):
            gone = "anything" if old is None else ", ".join(sorted(old - new))
            yield f"{place} no longer takes {gone}"

    def _limits(self, before: Schema, after: Schema, place: str) -> Iterator[str]:
        if not self._is_request:
            return
        for name, looser in LIMITS.items():
            if name in after and (name not in before or (after[name] - before[name]) * looser < 0):
                yield f"{place} has a {name} of {after[name]}, not {before.get(name, 'any')}"
        if "pattern" in after and after["pattern"] != before.get("pattern"):
            yield f"{place} has another pattern"

    def _fields(self, before: Schema, after: Schema, place: str, seen: Seen) -> Iterator[str]:
        old, new = before.get("properties", {}), after.get("properties", {})
        for name in old:
            if name in new:
                yield from self.schema(old[name], new[name], f"{place}.{name}", seen)
            elif new or after.get("additionalProperties") is False:
                yield f"{place}.{name} is gone"
        needed, was_needed = set(after.get("required", ())), set(before.get("required", ()))
        for name in sorted(needed - was_needed if self._is_request else was_needed - needed):
            if self._is_request or name in new:
                yield f"{place}.{name} {'is needed now' if self._is_request else 'may be missing now'}"
        if (
            self._is_request
            and after.get("additionalProperties") is False
            and before.get("additionalProperties") is not False
        ):
            yield f"{place} refuses unknown fields now"

    def _before(self, node: Schema) -> Schema:
        return _resolved(self._old, node)

    def _after(self, node: Schema) -> Schema:
        return _resolved(self._new, node)


def _resolved(document: Document, node: Schema) -> Schema:
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


def _key(parameter: Schema) -> tuple[str, str]:
    return parameter["in"], parameter["name"]


def _alternatives(document: Document, schema: Schema) -> list[Schema]:
    found = _resolved(document, schema)
    choices = found.get("anyOf") or found.get("oneOf")
    return [found] if choices is None else [one for choice in choices for one in _alternatives(document, choice)]


def _kinds(schema: Schema) -> set[str]:
    """The JSON types it allows; none means any."""
    kind = schema.get("type", ())
    return {kind} if isinstance(kind, str) else set(kind)


def _either(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds)) or "anything"


def _allowed(schema: Schema) -> set[str] | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if values is None else {str(value) for value in values}
