"""Watches over PostgreSQL, an API and a worker until told to stop, and stops them in the order they need each other."""

import http.client
import signal
import socket
import time
from types import FrameType
from urllib.parse import urlsplit

import structlog

from app.cli.child import Child
from app.cli.listener import HANDED_OVER, address
from app.cli.storage import Storage
from app.config import Settings

log = structlog.get_logger()

POLL_SECONDS = 0.1
READY_SECONDS = 1.0  # for one look whether the API is
API_STOPS_SECONDS = 15.0  # more than it takes for the requests under way
WORKER_STOPS_SECONDS = 10.0  # on top of an attempt's deadline
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    def __init__(self, storage: Storage, settings: Settings, listener: socket.socket) -> None:
        self._storage, self._settings, self._listener = storage, settings, listener
        self._told = 0
        common = _environment(settings)
        number = listener.fileno()
        self._api = Child("api", environment={**common, HANDED_OVER: str(number)}, open_files=(number,))
        self._worker = Child("worker", environment=common)

    def run(self) -> None:
        """Returns when told to stop. Raises Refusal when PostgreSQL cannot go on; either way nobody is left."""
        self._mind_signals()
        is_ready = False
        try:
            while not self._told:
                self._storage.supervise()
                self._api.keep_running()
                self._worker.keep_running()
                is_ready = is_ready or self._tell_when_ready()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()

    def _mind_signals(self) -> None:
        """Noted, and looked at between two steps: amid one, a child might be started that nobody knows of."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                signal.signal(number, self._note_signal)

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._told += 1

    def _tell_when_ready(self) -> bool:
        where = address(self._listener)
        if not _is_ready(where):
            return False
        log.info("ready", address=where)
        return True

    def _stop(self) -> None:
        log.info("stopping")
        self._listener.close()  # the API's copy is the last, so that later callers are refused, not left waiting
        self._api.stop(seconds=API_STOPS_SECONDS, is_hurried=self._is_hurried)
        deadline_seconds = self._settings.attempt_deadline_seconds + WORKER_STOPS_SECONDS
        self._worker.stop(seconds=deadline_seconds, is_hurried=self._is_hurried)

    def _is_hurried(self) -> bool:
        return self._told > 1  # a second Ctrl-C


def _environment(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    assert settings.secret_keys is not None
    return {
        "ZEROTEN_DATABASE_URL": settings.database_url.get_secret_value(),
        "ZEROTEN_SECRET_KEYS": settings.secret_keys.get_secret_value(),
        "ZEROTEN_LOG_FORMAT": settings.log_format,
        "ZEROTEN_RECEIVERS_ALLOW_LOOPBACK": str(settings.receivers_allow_loopback),
    }


def _is_ready(where: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(where).netloc, timeout=READY_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
