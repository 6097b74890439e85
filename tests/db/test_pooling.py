from app.db.engine import Engine
from app.db.pooling import is_transaction_pooled
from tests.db.pooler import transaction_pooler


async def test_a_direct_connection_is_not_pooled(engine: Engine) -> None:
    assert not await is_transaction_pooled(engine)


async def test_a_transaction_pooler_is_noticed(database_url: str) -> None:
    async with transaction_pooler(database_url) as url:
        engine = Engine(url)
        assert await is_transaction_pooled(engine)
        await engine.close()
