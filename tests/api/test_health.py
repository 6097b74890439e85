from fastapi import FastAPI

from tests.conftest import Tenant, client


async def test_a_live_process_says_so(app: FastAPI) -> None:
    async with client(app) as stranger:
        assert (await stranger.get("/livez")).json() == {"status": "ok"}


async def test_a_migrated_database_makes_it_ready(app: FastAPI) -> None:
    async with client(app) as stranger:
        assert (await stranger.get("/readyz")).status_code == 200


async def test_an_unknown_route_is_a_problem_document_with_a_request_id(alice: Tenant) -> None:
    reply = await alice.api.get("/v1/nothing-here")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["code"] == "route_not_found"
    assert reply.json()["request_id"] == reply.headers["x-request-id"]
