"""Nobody is told that something is done before it is committed.

FastAPI ends what a dependency began with `yield` after the reply is sent, unless told otherwise: a commit that failed
would then come after a 201. Here every commit fails, and every route that writes is asked to.
"""

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from tests.conftest import a_tenant, client, running_app
from tests.contract import operations, the_document
from tests.house.premises import CALLS, House, call_of, everything_of, furnish, make

WRITES = {
    operation["operationId"]: (method, path)
    for method, path, operation in operations(the_document())
    if method != "GET"
}
# These have nothing to write as things stand, and say so.
REFUSED_ANYWAY = {
    **dict.fromkeys(("launch_campaign", "resume_campaign", "archive_campaign", "restore_response"), 409),
    "give_reward_code": 409,
    "check_webhook_endpoint": 422,
    "set_pull": 422,
    "pull_now": 404,
    "delete_logo": 404,
}
UNCHANGED = {
    **dict.fromkeys(("enable_webhook_endpoint", "add_campaign_recipients", "preview_payload"), 200),
    **dict.fromkeys(("preview_audience", "plan_campaign", "query_recipients", "query_score"), 200),
    **dict.fromkeys(("drop_reward_codes", "remove_pull"), 204),
    "check_sender_domains": 202,  # one is due already
}

FAIL_EVERY_COMMIT = """
    CREATE FUNCTION refuse_to_commit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'this commit fails' USING ERRCODE = 'raise_exception'; END $$;
    DO $$
    DECLARE name text; happens text;
    BEGIN
        FOR name IN SELECT relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
        LOOP
            happens := 'INSERT OR DELETE OR UPDATE' || CASE name WHEN 'api_keys' THEN ' OF revoked_at' ELSE '' END;
            EXECUTE format('CREATE CONSTRAINT TRIGGER refuse AFTER %s ON %I DEFERRABLE INITIALLY DEFERRED'
                ' FOR EACH ROW EXECUTE FUNCTION refuse_to_commit()', happens, name);
        END LOOP;
    END $$
"""


@pytest.mark.slow
async def test_a_commit_that_fails_is_no_success(own_database_url: str, own_engine: Engine) -> None:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        ids, cursors = await furnish(app, own_engine, alice)
        house = House(app, own_engine, alice, ids, cursors)
        async with own_engine.write() as tx:
            for statement in FAIL_EVERY_COMMIT.split(";\n    DO"):
                await tx.execute(text(statement if "CREATE FUNCTION" in statement else f"DO{statement}"))
        before = await everything_of(house)
        found = {}
        for name, (method, path) in WRITES.items():
            params = {"params": {"key": alice.publishable_key}} if "widget" in name else {}
            async with client(app, None if params else alice.secret_key) as api:
                reply = await make(api, method, path, call_of(name, ids), ids, **params)
            found[name] = reply.status_code
        assert await everything_of(house) == before
    assert found == dict.fromkeys(WRITES, 500) | REFUSED_ANYWAY | UNCHANGED
    assert set(WRITES) <= set(CALLS)
