import re
from base64 import b64encode
from uuid import UUID, uuid4

import pytest

from app.db.vault import CannotOpenSecret, Vault

OLD, NEW = b"o" * 32, b"n" * 32
WORKSPACE, ROW = uuid4(), uuid4()


def seal(vault: Vault, secret: str = "whsec_grüezi") -> bytes:
    return vault.seal(secret, workspace_id=WORKSPACE, row_id=ROW)


def test_what_was_sealed_opens() -> None:
    vault = Vault([NEW])
    assert vault.open(seal(vault), workspace_id=WORKSPACE, row_id=ROW) == "whsec_grüezi"


def test_the_sealed_secret_does_not_show_the_secret_and_is_another_every_time() -> None:
    vault = Vault([NEW])
    first, second = seal(vault), seal(vault)
    assert b"whsec_" not in first
    assert first != second


def test_every_key_opens_and_the_first_seals() -> None:
    sealed_by_old = seal(Vault([OLD]))
    both = Vault([NEW, OLD])
    assert both.open(sealed_by_old, workspace_id=WORKSPACE, row_id=ROW) == "whsec_grüezi"
    assert Vault([NEW]).open(seal(both), workspace_id=WORKSPACE, row_id=ROW) == "whsec_grüezi"


def test_a_missing_key_is_named_as_the_reason() -> None:
    with pytest.raises(CannotOpenSecret, match="the one that sealed it is missing"):
        Vault([NEW]).open(seal(Vault([OLD])), workspace_id=WORKSPACE, row_id=ROW)


@pytest.mark.parametrize(("workspace_id", "row_id"), [(WORKSPACE, uuid4()), (uuid4(), ROW)])
def test_a_secret_moved_to_another_row_or_workspace_does_not_open(workspace_id: UUID, row_id: UUID) -> None:
    vault = Vault([NEW])
    with pytest.raises(CannotOpenSecret):
        vault.open(seal(vault), workspace_id=workspace_id, row_id=row_id)


def test_no_altered_or_shortened_secret_opens() -> None:
    vault = Vault([NEW])
    sealed = seal(vault)
    altered = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    shortened = [sealed[:length] for length in range(len(sealed))]
    for broken in [*altered, *shortened]:
        with pytest.raises(CannotOpenSecret):
            vault.open(broken, workspace_id=WORKSPACE, row_id=ROW)


def test_keys_are_read_from_comma_separated_base64() -> None:
    text = f"{b64encode(NEW).decode()}, {b64encode(OLD).decode()},"
    vault = Vault.read(text)
    for key in (NEW, OLD):
        assert vault.open(seal(Vault([key])), workspace_id=WORKSPACE, row_id=ROW) == "whsec_grüezi"


@pytest.mark.parametrize("text", ["c2hvcnQ=", "?" * 44, b64encode(b"x" * 33).decode(), "grüezi"])
def test_an_unreadable_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="ZEROTEN_SECRET_KEYS") as refusal:
        Vault.read(text)
    assert not re.search(re.escape(text), str(refusal.value))


@pytest.mark.parametrize("text", [None, "", " , "])
def test_without_keys_nothing_is_stored_in_the_clear(text: str | None) -> None:
    vault = Vault.read(text)
    with pytest.raises(RuntimeError, match="ZEROTEN_SECRET_KEYS is not set"):
        seal(vault)
    with pytest.raises(CannotOpenSecret):
        vault.open(seal(Vault([OLD])), workspace_id=WORKSPACE, row_id=ROW)
