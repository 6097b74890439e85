import json
import logging
import subprocess
import sys
import textwrap

import pytest

SETUP = """
import logging, sys, structlog
from app.logs import configure_logs
configure_logs(sys.argv[1], process="api")
log = structlog.get_logger()
"""


def said_by(program: str, style: str = "json") -> str:
    """Logging belongs to a whole process, so each test has one of its own."""
    command = [sys.executable, "-c", SETUP + textwrap.dedent(program), style]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_an_event_is_one_line_of_json_that_names_its_process() -> None:
    event = json.loads(said_by("log.info('worker started', held=3)"))
    assert event.items() >= {"event": "worker started", "held": 3, "level": "info", "process": "api"}.items()
    assert event["timestamp"].endswith("Z")


def test_other_peoples_logging_goes_the_same_way() -> None:
    event = json.loads(said_by("logging.getLogger('uvicorn.error').warning('port %d is odd', 1)"))
    assert event.items() >= {"event": "port 1 is odd", "level": "warning", "process": "api"}.items()


@pytest.mark.parametrize("name", ["uvicorn.error", "apscheduler.scheduler", "alembic.runtime"])
def test_the_talkative_say_only_what_is_wrong(name: str) -> None:
    assert said_by(f"logging.getLogger({name!r}).info('step')") == ""


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_quotes_no_row_and_no_variable(style: str) -> None:
    said = said_by(
        """
        def insert(address):
            raise LookupError("duplicate key\\nDETAIL: Key (email)=(%s) already exists." % address)
        try:
            try:
                insert("@".join(["amy", "example.org"]))
            except LookupError as error:
                raise RuntimeError("cannot record") from error
        except RuntimeError:
            log.exception("a step failed")
        """,
        style,
    )
    assert "LookupError: duplicate key" in said
    assert "RuntimeError: cannot record" in said
    assert "line" in said
    assert "amy@example.org" not in said


def test_every_member_of_a_group_of_errors_is_told() -> None:
    event = json.loads(
        said_by("log.error('failed', exc_info=ExceptionGroup('two', [ValueError('one'), KeyError('other')]))")
    )
    assert "ValueError: one" in event["exception"]
    assert "KeyError: 'other'" in event["exception"]


def test_the_handlers_of_this_process_are_its_own() -> None:
    """configure_logs replaces the root handlers, which is why it is only called by the command."""
    assert not any(type(handler.formatter).__name__ == "ProcessorFormatter" for handler in logging.root.handlers)
