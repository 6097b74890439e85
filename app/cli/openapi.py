"""The API's description; made from the code alone, so no database is needed."""

import sys
from argparse import Namespace

from app.api.openapi import as_yaml, document
from app.cli.place import read_settings
from app.cli.refusal import Refusal
from app.main import create_app


def run(arguments: Namespace) -> int:
    if arguments.write is None:
        sys.stdout.write(description())
        return 0
    try:
        arguments.write.write_text(description(), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{arguments.write}: {error.strerror}") from error
    return 0


def description() -> str:
    """As it stands in openapi.yaml."""
    return as_yaml(document(create_app(read_settings())))
