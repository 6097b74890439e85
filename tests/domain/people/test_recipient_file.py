import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import DomainError
from app.domain.people.recipient import RecipientInput
from app.domain.people.recipient_columns import FileUnreadable, HeaderUnreadable
from app.domain.people.recipient_file import FileFormat, TextCheck, recipient_file

WORKSPACE = uuid4()


def read(text: str | bytes, form: FileFormat = FileFormat.CSV, *, piece: int = 1_000_000) -> list[tuple[int, Any]]:
    """(line, what is given or the code of the error)"""
    content = text if isinstance(text, bytes) else text.encode()
    file = recipient_file(form, WORKSPACE)
    found = []
    for at in range(0, max(len(content), 1), piece):
        part = content[at : at + piece]
        rows = file.rows(part, is_last=at + piece >= len(content))
        for (line, _), said in zip(rows, file.said(rows), strict=True):
            found.append((line, said.code if isinstance(said, DomainError) else dict(said.given)))
    return found


def test_fields_and_properties_are_told_apart_by_their_names() -> None:
    text = (
        "External ID,E-Mail,phone,Name,timezone,locale,plan,seats,rate,active,zip\n"
        "a,ADA@example.com,+49 30 123456,Ada,Europe/Berlin,de,pro,3,1.5,TRUE,01234\n"
    )
    properties = {"plan": "pro", "seats": 3, "rate": 1.5, "active": True, "zip": "01234"}
    (row,) = read(text)
    assert row == (
        2,
        {
            "external_id": "a", "email": "ada@example.com", "phone": "+4930123456", "name": "Ada",
            "time_zone": "Europe/Berlin", "locale": "de", "properties": properties,
        },
    )  # fmt: skip


def test_an_empty_cell_says_nothing() -> None:
    assert read("external_id,email,plan\na, ,\n") == [(2, {"external_id": "a"})]


@pytest.mark.parametrize(
    "text",
    [
        "external_id,name\na,Ada\n",
        "external_id;name\na;Ada\n",
        "external_id\tname\na\tAda",
        "external_id|name\r\na|Ada\r\n",
        "\ufeffexternal_id,name\na,Ada\n",
        "\n\nexternal_id,name\n\na,Ada\n\n",
        "sep=;\nexternal_id;name\na;Ada\n",
        '"external_id", "name"\n"a", "Ada"\n',
        "external_id;name\na;Ada;;\n",
    ],
)
def test_files_come_in_many_dialects(text: str) -> None:
    assert [said for _, said in read(text)] == [{"external_id": "a", "name": "Ada"}]


def test_quoted_cells_may_hold_anything() -> None:
    text = 'external_id,plan\n"a","one\ntwo, ""three"""\nb,pro\n'
    assert read(text) == [
        (2, {"external_id": "a", "properties": {"plan": 'one\ntwo, "three"'}}),
        (4, {"external_id": "b", "properties": {"plan": "pro"}}),
    ]


def test_a_broken_row_costs_one_row() -> None:
    text = 'external_id,email\na,x@example.com\n"b,broken\nc,nobody\nd\ne,y@example.com,more\nf,z@example.com\n'
    assert [(line, said if isinstance(said, str) else said["external_id"]) for line, said in read(text)] == [
        (2, "a"), (3, "row_unreadable"), (4, "recipient_invalid"), (5, "wrong_column_count"),
        (6, "wrong_column_count"), (7, "f"),
    ]  # fmt: skip


def test_an_account_is_named_by_its_columns() -> None:
    file = recipient_file(FileFormat.CSV, WORKSPACE)
    text = b"external_id,account,account_name\na,acme,Acme\nb,,Lost\nc,,\n"
    one, two, three = file.said(file.rows(text, is_last=True))
    assert isinstance(one, RecipientInput)
    assert one.account is not None
    assert (one.account.external_id, one.account.given) == ("acme", {"name": "Acme"})
    assert isinstance(two, DomainError)
    assert isinstance(three, RecipientInput)
    assert three.account is None


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com,Ada\nbob@example.com,Bob\n",
        "name,plan\nAda,pro\n",
        "external_id,external id\na,b\n",
        "external_id,plan,plan\na,b,c\n",
        "external_id,\na,b\n",
        "external_id," + ",".join(f"c{at}" for at in range(100)) + "\n",
        'external_id,"name\na,b\n',
    ],
)
def test_a_header_that_names_nothing_fails_the_file_without_quoting_it(text: str) -> None:
    with pytest.raises(HeaderUnreadable) as refusal:
        read(text)
    assert "ada" not in refusal.value.detail


@pytest.mark.parametrize(
    "content",
    [
        "", "\n \n", "\ufeff", "external_id\na\n".encode("utf-16"), "external_id\nZoë\n".encode("latin-1"),
        b"external_id\n" + b"x" * 1_200_000,
    ],
)  # fmt: skip
def test_what_is_no_text_of_ours_fails_the_file(content: str | bytes) -> None:
    with pytest.raises(FileUnreadable):
        read(content, piece=100_000)
    if not isinstance(content, bytes):
        with pytest.raises(FileUnreadable):
            read(content, FileFormat.NDJSON)


def test_lines_of_json_speak_like_the_api() -> None:
    account = {"external_id": "acme", "revenue": 12.5, "renews_on": "2027-03-31"}
    rows = [
        {"external_id": "a", "email": "ADA@example.com", "name": None, "properties": {"seats": 3, "plan": None}},
        {"external_id": "b", "account": account},
        {"external_id": "c", "account": None},
    ]
    text = "\n".join(map(json.dumps, rows)) + "\n\n"
    assert read(text, FileFormat.NDJSON) == [
        (1, {**rows[0], "email": "ada@example.com"}),
        (2, {"external_id": "b"}),
        (3, {"external_id": "c", "account_id": None}),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{", "[]", "7", '{"external_id": 7}', '{"external_id": "a", "score": 9}', '{"email": "x"}', '{"name": []}',
        '{"external_id": "a", "external_id": "b"}', '{"external_id": "a\\u0000"}', '{"external_id": "\\ud800"}',
        '{"external_id": "a", "properties": []}', '{"external_id": "a", "properties": {"x": {}}}',
        '{"external_id": "a", "properties": {"x": 1e999}}', '{"external_id": "a", "account": "acme"}',
        '{"external_id": "a", "account": {"external_id": "x", "revenue": "much"}}',
        '{"external_id": "a", "account": {"external_id": "x", "revenue": 1.234}}',
        '{"external_id": "a", "account": {"external_id": "x", "renews_on": "soon"}}',
        '{"external_id": "a", "account": {"external_id": "x", "name": 7}}',
        '{"external_id": "a", "account": {"external_id": "x"}, "account_id": null}',
        '{"external_id": "a", "account_id": "acme"}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_bad_line_of_json_is_one_refused_row(line: str) -> None:
    (_, bad), (_, good) = read(f'{line}\n{{"external_id": "z"}}', FileFormat.NDJSON)
    assert isinstance(bad, str)
    assert good == {"external_id": "z"}


def test_a_line_that_is_no_json_is_called_by_its_number_in_the_file() -> None:
    file = recipient_file(FileFormat.NDJSON, WORKSPACE)
    good = b'{"external_id": "a"}\n'
    for piece, number in ((good + b"\n" + b'{"external_id":}\n', 3), (good + b"{\n", 5)):
        bad = file.said(file.rows(piece, is_last=False))[-1]
        assert isinstance(bad, DomainError)
        assert bad.detail.startswith(f"Line {number}, column ")


cells = st.text(st.sampled_from('ab,;"\n\r é😀'), max_size=6)


@given(st.lists(st.lists(cells, min_size=2, max_size=3), max_size=8), st.integers(1, 40))
def test_where_the_pieces_end_makes_no_difference(rows: list[list[str]], piece: int) -> None:
    text = "external_id,plan\n" + "\n".join(",".join(row) for row in rows)
    assert read(text, piece=piece) == read(text)


@given(st.lists(st.tuples(cells, cells), max_size=8), st.integers(1, 40))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]], piece: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("external_id", "plan"), *rows])
    expected = [plan.strip() for external_id, plan in rows if external_id.strip() or plan.strip()]
    found = recipient_file(FileFormat.CSV, WORKSPACE)
    content = text.getvalue().encode()
    contents = [
        row[1]
        for at in range(0, len(content), piece)
        for row in found.rows(content[at : at + piece], is_last=at + piece >= len(content))
    ]
    assert [content[1].strip() for content in contents] == expected


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a\nb\xff\nc", "Line 2 is not UTF-8"),
        ("a\nb".encode("utf-16"), "UTF-16"),
        (b"a\nZo" + "ë".encode()[:1], "Line 2 is not UTF-8"),
        ("a\nZoë 😀".encode(), None),
    ],
)
def test_a_fault_is_found_wherever_the_pieces_end(content: bytes, fault: str | None) -> None:
    for piece in (1, 2, 3, 100):
        check = TextCheck()
        accepted = [check.accepts(content[at : at + piece]) for at in range(0, len(content), piece)]
        assert check.accepts(b"", is_last=True) is (fault is None)
        assert accepted == sorted(accepted, reverse=True)
        assert (fault or "") in (check.fault or "")


def test_it_is_read_in_linear_time_whatever_the_quotes() -> None:
    stray = "external_id,plan\n" + "".join(f'{number},"open\n' for number in range(3_000))
    assert len(read(stray, piece=10_000)) > 1_000
