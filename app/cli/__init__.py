"""The `zeroten` command: one file for each verb, whose `run` does it."""

import sys
from collections.abc import Sequence
from importlib import import_module

from app.cli.arguments import parser
from app.cli.refusal import Refusal
from app.domain.errors import DomainError


def main(words: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when refused, 2 when misspelt, 130 after Ctrl-C."""
    arguments = parser().parse_args(words)
    try:
        # Imported only now, so that `zeroten nps` need not wait for a web framework.
        status: int = import_module(f"app.cli.{arguments.verb}").run(arguments)
    except (Refusal, DomainError) as refusal:
        sys.stderr.write(f"zeroten: {refusal}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `zeroten openapi | head`
        sys.stderr.close()
        return 1
    return status
