"""One API process."""

import signal
import socket
from argparse import Namespace

import structlog
import uvicorn
from fastapi import FastAPI

from app.api.http_protocol import Http
from app.cli.listener import BACKLOG, address, handed_over, listen
from app.cli.place import check_alone, read_settings, settled
from app.lifeline import end_with_parent
from app.logs import configure_logs
from app.main import create_app

log = structlog.get_logger()

FINISHING_SECONDS = 10  # for requests under way when we are asked to stop


def run(_: Namespace) -> int:
    has_parent = end_with_parent()
    settings = settled(read_settings())
    configure_logs(settings.log_format, process="api")
    if not has_parent:
        check_alone(settings)
    listener = handed_over() or listen(settings.host, settings.port)
    server = _Server(
        uvicorn.Config(
            create_app(settings),
            loop="uvloop",
            http=Http,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=FINISHING_SECONDS,
        )
    )
    return server.serve_on(listener)


class _Server(uvicorn.Server):
    def serve_on(self, listener: socket.socket) -> int:
        # After a graceful stop uvicorn raises the signal again, and we have done all that it asks.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.run(sockets=[listener])
        log.info("api stopped")
        return 0 if self.started else 1

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        if self.started and isinstance(app, FastAPI):
            app.state.services.event_watch.close()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            log.info("api started", address=address(sockets[0]))
