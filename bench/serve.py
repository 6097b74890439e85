"""Serving an ASGI application the way `zeroten api` does, so that only the applications differ."""

import os
from typing import Any

import uvicorn

from app.lifeline import end_with_parent


def serve(app: Any) -> None:
    end_with_parent()
    port = int(os.environ["ZEROTEN_PORT"])
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)
