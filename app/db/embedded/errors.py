"""Why the embedded PostgreSQL does not run. Every message is for the operator, and says what to do."""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot run."""


class BinariesNotFound(EmbeddedPostgresError):
    """No usable PostgreSQL binaries on this machine."""


class WrongVersion(EmbeddedPostgresError):
    """The data was written by another major version than the binaries found."""


class DirectoryInUse(EmbeddedPostgresError):
    """Another process of ours serves this directory."""

    def __init__(self, message: str, *, pid: int | None) -> None:
        super().__init__(message)
        self.pid = pid


class OutOfReach(EmbeddedPostgresError):
    """The user that runs PostgreSQL cannot get at a file it needs."""


class NotSetUp(EmbeddedPostgresError):
    """No server has ever been started in this directory."""


class StartFailed(EmbeddedPostgresError):
    """PostgreSQL, or initdb, stopped with an error; the message ends with what it said."""
