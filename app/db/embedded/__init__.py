"""A PostgreSQL of our own, for whoever does not want to run one: found, set up, started, watched and stopped."""

from app.db.embedded.errors import (
    BinariesNotFound,
    DirectoryInUse,
    EmbeddedPostgresError,
    NotSetUp,
    OutOfReach,
    StartFailed,
    WrongVersion,
)
from app.db.embedded.server import EmbeddedPostgres

__all__ = [
    "BinariesNotFound",
    "DirectoryInUse",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "NotSetUp",
    "OutOfReach",
    "StartFailed",
    "WrongVersion",
]
