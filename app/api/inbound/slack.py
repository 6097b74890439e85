"""Buttons pressed in Slack. Answered within the three seconds that it waits; the message is changed by a worker."""

import json
from uuid import UUID

from fastapi import FastAPI, Request, Response

from app.api.dependencies import services_of
from app.clock import utc_now
from app.domain.ids import parsed
from app.domain.webhooks.slack_request import is_from_slack, read_press
from app.operations.follow_ups import follow_up
from app.queries.webhook_endpoints import find_connector

LONGEST_BODY = 200_000  # bytes; it carries the message it was pressed in
PLACE = "/inbound/slack/{workspace}/{endpoint}"


def include_slack(app: FastAPI) -> None:
    app.router.add_api_route(PLACE, pressed, methods=["POST"], include_in_schema=False)


async def pressed(workspace: str, endpoint: str, request: Request) -> Response:
    """A stranger learns nothing: whatever is wrong, it is 401."""
    workspace_id, endpoint_id = parsed("workspace", workspace), parsed("endpoint", endpoint)
    body = await request.body()
    if workspace_id is None or endpoint_id is None or len(body) > LONGEST_BODY:
        return Response(status_code=401)
    if not await _is_signed(request, workspace_id, endpoint_id, body):
        return Response(status_code=401)
    if (press := read_press(body)) is not None:
        async with services_of(request).engine.write() as tx:
            await follow_up(tx, workspace_id, press, endpoint_id=endpoint_id)
    return Response(status_code=200)


async def _is_signed(request: Request, workspace_id: UUID, endpoint_id: UUID, body: bytes) -> bool:
    services = services_of(request)
    async with services.engine.read() as tx:
        row = await find_connector(tx, workspace_id, endpoint_id, kind="slack_app")
    if row is None:
        return False
    secret = json.loads(services.vault.open(row["credentials"], workspace_id=workspace_id, row_id=endpoint_id)).get(
        "signing_secret"
    )
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    return bool(secret) and is_from_slack(secret, timestamp=timestamp, signature=signature, body=body, now=utc_now())
