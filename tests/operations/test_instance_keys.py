import asyncio

import pytest

from app.db.engine import Engine
from app.db.vault import CannotOpenSecret, Vault
from app.operations.instance_keys import ADDRESSES, AddressKey, instance_key
from app.operations.reseal import reseal_secrets

OLD, NEW = b"o" * 32, b"n" * 32


async def test_all_processes_draw_the_same_key(own_engine: Engine) -> None:
    keys = await asyncio.gather(*(AddressKey(own_engine, Vault([OLD])).read() for _ in range(5)))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


async def test_the_key_stays_while_the_secret_keys_change(own_engine: Engine) -> None:
    key = await AddressKey(own_engine, Vault([OLD])).read()
    async with own_engine.write() as tx:
        assert await reseal_secrets(tx, Vault([NEW, OLD])) == 1
    assert await AddressKey(own_engine, Vault([NEW])).read() == key


async def test_a_key_that_cannot_be_opened_is_not_drawn_anew(own_engine: Engine) -> None:
    await AddressKey(own_engine, Vault([OLD])).read()
    with pytest.raises(CannotOpenSecret):
        await AddressKey(own_engine, Vault([NEW])).read()


async def test_each_purpose_has_a_key_of_its_own(own_engine: Engine) -> None:
    async with own_engine.write() as tx:
        addresses, other = [await instance_key(tx, Vault([OLD]), purpose) for purpose in (ADDRESSES, "other")]
    assert addresses != other
