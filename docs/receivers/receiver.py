"""Receives webhooks with FastAPI and the standardwebhooks library.

pip install fastapi uvicorn standardwebhooks
WEBHOOK_SECRET=whsec_… uvicorn receiver:app --port 3000
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
inbox = Path(os.environ.get("INBOX", "inbox"))
app = FastAPI()


@app.post("/webhooks", status_code=204)
async def receive(request: Request) -> Response:
    body = await request.body()  # as it came: parsed and written again, it would not be what was signed
    try:
        webhook.verify(body, dict(request.headers))  # also refuses what is older than five minutes
    except (WebhookVerificationError, ValueError) as error:
        raise HTTPException(400, "not signed by whom it should be") from error
    await run_in_threadpool(keep, request.headers["webhook-id"], body)
    return Response(status_code=204)


def keep(webhook_id: str, body: bytes) -> None:
    """Answer only when the event is safe, and leave the work to another process, which takes files from the inbox.

    The same id again is the same event, and is kept once. With a database: INSERT … ON CONFLICT (id) DO NOTHING.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=inbox, prefix=".") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, inbox / f"{webhook_id}.json")  # whole, or not at all
