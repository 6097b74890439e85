from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import DomainError
from app.domain.people.identity import Directory, IdentityConflict, Person
from app.domain.people.mailbox import one_spelling
from app.domain.people.recipient import IDENTIFIERS, RecipientInput, email_address, locale_tag, normalised, phone_number

WORKSPACE = uuid4()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("a+b.c@mail.example.museum", "a+b.c@mail.example.museum"),
        ("x@xn--mller-kva.example", "x@xn--mller-kva.example"),
        ("x@müller.example", "x@xn--mller-kva.example"),
        ("Jörg@MÜLLER.example", "jörg@xn--mller-kva.example"),
        ("u@Straße.example", "u@xn--strae-oqa.example"),  # and not strasse.example, which is somebody else's
        ("u@straße\u3002example", "u@xn--strae-oqa.example"),  # with dots and letters as keyboards of Asia have them
        ("u@\uff46aß\uff0eexample", "u@xn--fa-hia.example"),
        ("u@mail.faß.müller.example", "u@mail.xn--fa-hia.xn--mller-kva.example"),
        ("u@κόσμος.example", "u@xn--vxaejmc7c.example"),
        ("jo\u0308rg@mu\u0308ller.example", "jörg@xn--mller-kva.example"),
    ],
)
def test_a_mailbox_is_written_in_one_way(said: str, written: str) -> None:
    assert normalised({"email": said}) == {"email": written}
    assert one_spelling(said) == written


@pytest.mark.parametrize(
    "said",
    [
        "", "nobody", "a@b", "@example.com", "a@", "a b@example.com", "a..b@example.com", ".a@example.com",
        "a.@example.com", "a@-x.example", "a@x-.example", "a@example..com", "a@example.123", "a@@example.com",
        "a@exa_mple .com", "<a@example.com>", "a,b@example.com", "x" * 65 + "@example.com", "a@" + "x" * 64 + ".com",
        "a@" + "x." * 130 + "com", "a\u200b@example.com", "a@" + "ü" * 60 + ".example",
        "a\x00@example.com", "a\n@example.com", "a@example.com\ud800",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(said: str) -> None:
    with pytest.raises(DomainError) as refusal:
        normalised({"email": said})
    assert refusal.value.pointer == "/email"


@pytest.mark.parametrize("said", ["+4930123456", "+49 30 12 34 56", "+49-30/123.456", " +49 (30) 123456 "])
def test_numbers_are_written_as_e164(said: str) -> None:
    assert phone_number(said) == "+4930123456"


@pytest.mark.parametrize(
    "said", ["", "030 123456", "004930123456", "+49 (0)30 123456", "+0301234567", "+123", "+49x30123456"]
)
def test_numbers_without_a_country_are_refused(said: str) -> None:
    with pytest.raises(DomainError):
        phone_number(said)


@pytest.mark.parametrize(
    ("said", "written"),
    [("EN", "en"), ("pt_br", "pt-BR"), ("ZH-HANT-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("fil", "fil")],
)
def test_locales_have_the_usual_capitals(said: str, written: str) -> None:
    assert locale_tag(said) == written


@pytest.mark.parametrize("said", ["", "German", "e", "en-", "en-USA", "en_US.UTF-8", "x-klingon"])
def test_other_locales_are_refused(said: str) -> None:
    with pytest.raises(DomainError):
        locale_tag(said)


@pytest.mark.parametrize("said", ["Mars/Olympus", "../../etc/passwd", "", "localtime", "Europe", "\x00"])
def test_time_zones_come_from_the_list(said: str) -> None:
    with pytest.raises(DomainError) as refusal:
        normalised({"time_zone": said})
    assert refusal.value.pointer == "/time_zone"


@given(st.text(max_size=300))
def test_writing_down_is_settled_after_once(said: str) -> None:
    for write in (one_spelling, email_address, phone_number, locale_tag):
        try:
            written = write(said)
        except DomainError:
            continue
        assert write(written) == written


few = st.sampled_from(["a", "b", "c", None])
rows = st.fixed_dictionaries({}, optional={**dict.fromkeys(IDENTIFIERS, few), "name": st.sampled_from(["x", "y"])})


@given(st.lists(rows, max_size=12))
def test_nobody_ever_shares_an_identifier(said: list[dict[str, Any]]) -> None:
    directory = Directory([])
    for row in said:
        before = [(person.id, dict(person.after)) for person in directory.people()]
        try:
            done = directory.upsert(RecipientInput(WORKSPACE, row), new_id=uuid4)
        except DomainError as error:
            assert [(person.id, dict(person.after)) for person in directory.people()] == before
            if isinstance(error, IdentityConflict):
                assert sum(row.get(kind) is not None for kind in IDENTIFIERS) > 1
            continue
        meant = next(person for person in directory.people() if person.id == done.id)
        assert {name: meant.after.get(name) for name in row} == row
    names = [name for person in directory.people() for name in person.identifiers()]
    assert len(names) == len(set(names))
    assert all(person.identifiers() for person in directory.people())


@given(st.lists(rows, max_size=8), st.integers(0, 8))
def test_reading_people_back_changes_nothing(said: list[dict[str, Any]], at: int) -> None:
    """Whether earlier rows are in memory or were stored and read again, later ones have the same effect."""

    def after(rows: list[dict[str, Any]], directory: Directory) -> Directory:
        for row in rows:
            try:
                directory.upsert(RecipientInput(WORKSPACE, row), new_id=uuid4)
            except DomainError:
                continue
        return directory

    def people(directory: Directory) -> list[dict[str, Any]]:
        kept = [{name: person.after.get(name) for name in (*IDENTIFIERS, "name")} for person in directory.people()]
        return sorted(kept, key=repr)

    stored = after(said[:at], Directory([]))
    reread = Directory([Person(WORKSPACE, person.id, person.after) for person in stored.people()])
    assert people(after(said[at:], reread)) == people(after(said, Directory([])))
