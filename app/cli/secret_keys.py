"""The file that stands in for ZEROTEN_SECRET_KEYS: as valuable as the database, and better not in the same backup."""

import os
import secrets
from base64 import b64encode
from pathlib import Path

from app.cli.refusal import Refusal
from app.db.vault import KEY_BYTES

NAME = "secret-keys"


def find(directory: Path) -> str | None:
    """In the form of ZEROTEN_SECRET_KEYS."""
    try:
        return (directory / NAME).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (PermissionError, ValueError) as error:
        raise Refusal(f"{directory / NAME} cannot be read: {error}.") from None


def make(directory: Path) -> str:
    """All or nothing, and on the disk before anything is sealed with it."""
    key = b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    unfinished = directory / f".{NAME}.unfinished"
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(directory / NAME)
    _sync(directory)
    return key


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)
