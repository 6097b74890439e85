"""New ids, made before the statement that stores them, so that a repeated statement stores the same row."""

import os
from datetime import datetime
from uuid import UUID

from app.domain.ids import uuid_v7


def new_id(now: datetime) -> UUID:
    return uuid_v7(int(now.timestamp() * 1000), os.urandom(10))
