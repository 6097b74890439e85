"""Parameters as callers see them: what may be left out cannot be null, since a URL has no null."""

from typing import Any

PARAMETERS: dict[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Printable ASCII of your choice. Sent again within 24 hours with the same request, it makes "
        "nothing new: the reply shows what the first call made. With another request it is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
        "example": "order-4711-answer",
    }
}
_REFERENCE = {"$ref": "#/components/parameters/IdempotencyKey"}
TAKES_IDEMPOTENCY_KEY: dict[str, Any] = {"parameters": [_REFERENCE]}  # for a route that reads the header by itself


def tidy_parameters(operation: dict[str, Any]) -> None:
    parameters = operation.get("parameters", [])
    for place, parameter in enumerate(parameters):
        if parameter.get("name") == "Idempotency-Key":
            parameters[place] = _REFERENCE
        elif "schema" in parameter:
            _tidy(parameter)


def _tidy(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"]
    schema.pop("description", None)
    choices = schema.pop("anyOf", None)
    if choices is None:
        return
    possible = [choice for choice in choices if choice != {"type": "null"}]
    schema |= possible[0] if len(possible) == 1 else {"anyOf": possible}
