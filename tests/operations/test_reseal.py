from datetime import datetime

from app.db.engine import Engine
from app.db.vault import Vault
from app.operations import reseal
from app.operations.reseal import reseal_secrets
from tests.builders import rows
from tests.queries.test_check_secrets import NEW, OLD, store

OLDEST = b"x" * 32


async def test_what_older_keys_sealed_opens_with_the_newest_alone(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        for key in (OLDEST, OLD, OLD, NEW):
            await store(tx, Vault([key]), now=now)
    keys = Vault([NEW, OLD, OLDEST])
    counts = []
    for _ in range(3):
        async with own_engine.write() as tx:
            counts.append(await reseal_secrets(tx, keys, limit=2))
    assert counts == [2, 1, 0]
    assert await opened(own_engine, Vault([NEW])) == ["whsec_x"] * 4


async def test_what_no_key_of_ours_opens_is_left_alone(own_engine: Engine, now: datetime) -> None:
    async with own_engine.write() as tx:
        await store(tx, Vault([OLDEST]), now=now)
        await store(tx, Vault([OLD]), now=now)
        assert await reseal_secrets(tx, Vault([NEW, OLD])) == 1
        assert await reseal_secrets(tx, Vault([NEW, OLD])) == 0
    assert len(await rows(own_engine, "SELECT id FROM endpoint_secrets")) == 2


async def test_everything_that_is_sealed_is_on_the_list(own_engine: Engine) -> None:
    sealed = "SELECT table_name, column_name FROM information_schema.columns WHERE data_type = 'bytea'"
    other = {
        ("accesses", "digest"),
        ("accesses", "token_digest"),
        ("api_keys", "token_hash"),
        ("authorizations", "state_digest"),
        ("captured_mails", "raw"),
        ("dashboard_sessions", "token_hash"),
        ("delivery_attempts", "reply_head"),
        ("import_chunks", "bytes"),
        ("invitations", "token_hash"),
        ("invitations", "unsubscribe_hash"),
        ("logos", "bytes"),
        ("mail_sources", "key_hash"),
        ("mail_tokens", "digest"),
        ("outgoing_mails", "raw"),
        ("suppressions", "address_hmac"),
    }
    found = {
        (row["table_name"].partition("_p20")[0].removesuffix("_default"), row["column_name"])
        for row in await rows(own_engine, f"{sealed} AND table_schema = 'public'")
    }
    assert found - other == set(reseal.SEALED)


async def opened(engine: Engine, vault: Vault) -> list[str]:
    stored = await rows(engine, "SELECT workspace_id, id, ciphertext FROM endpoint_secrets")
    return [vault.open(bytes(row["ciphertext"]), workspace_id=row["workspace_id"], row_id=row["id"]) for row in stored]
