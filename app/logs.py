"""What every process says: one event a line to standard error, in colour for people or as JSON for machines.

Everybody else's logging (uvicorn, Alembic, APScheduler, aiohttp) goes the same way.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

# These tell of every step they take; we want to hear when something is wrong.
TALKATIVE = ("uvicorn", "alembic", "apscheduler", "asyncio", "aiohttp")


def configure_logs(style: str, *, process: str) -> None:
    """`style` is console or json; `process` says in every line which of ours is speaking."""

    def name_process(_logger: object, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
        describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _route_standard_logging(style, shared)


def _route_standard_logging(style: str, shared: list[Processor]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(style)],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(capture=True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderer(style: str) -> Processor:
    if style == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # The default formatter would print the local variables too: people's addresses and keys among them.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def describe_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by a traceback in `exception` that quotes nobody's data."""
    error = _error_in(event.pop("exc_info", None))
    if error is not None:
        event["exception"] = "\n".join(_lines(error))
    return event


def _error_in(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _lines(error: BaseException) -> Iterator[str]:
    """As Python prints it, causes first, but only the first line of a message: PostgreSQL's DETAIL quotes the row."""
    if error.__cause__ is not None:
        yield from _lines(error.__cause__)
        yield "The above exception was the direct cause of the following one:"
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _lines(error.__context__)
        yield "While handling the above exception, another one occurred:"
    yield from "".join(traceback.format_tb(error.__traceback__)).splitlines()
    message = str(error).partition("\n")[0]
    yield f"{type(error).__qualname__}: {message}" if message else type(error).__qualname__
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from (f"  | {line}" for line in _lines(member))
