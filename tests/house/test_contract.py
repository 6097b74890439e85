"""The check that every reply of every test goes through can fail."""

from typing import Any

import pytest

from tests import contract
from tests.conftest import Tenant

CAMPAIGN = {"name": "After purchase", "kind": "transactional"}


def operation(method: str, path: str) -> Any:
    found = contract.operation_of(method, path)
    assert found is not None
    return found


async def test_an_undocumented_status_fails(alice: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(operation("POST", "/v1/campaigns")["responses"], "201")
    with pytest.raises(AssertionError, match="an undocumented status"):
        await alice.api.post("/v1/campaigns", json=CAMPAIGN)


async def test_an_undocumented_code_fails(alice: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operation("POST", "/v1/campaigns")["responses"], "422", {"x-problems": ["body_missing"]})
    with pytest.raises(AssertionError, match="the undocumented code validation_failed"):
        await alice.api.post("/v1/campaigns", json={})


async def test_an_undocumented_field_fails(alice: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = contract.the_document()["components"]["schemas"]["SavedCampaign"]
    monkeypatch.delitem(campaign["properties"], "goal")
    monkeypatch.setattr(contract, "_validator", contract._validator.__wrapped__)
    with pytest.raises(AssertionError, match="goal"):
        await alice.api.post("/v1/campaigns", json=CAMPAIGN)
