import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.scores.metric import METRICS
from app.domain.scores.nps_file import KNOWN_COLUMNS, MOST_REJECTS_LISTED, RejectReason, ScoreColumnMissing, read_scores
from app.domain.scores.scoring import Histogram

# Python's own writer forgets the quotes around a lone carriage return.
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


def opened(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def rejects_of(text: str, **options: str) -> list[tuple[int, str]]:
    return [
        (reject.line, reject.reason.value) for reject in read_scores(opened(text), column=options.get("column")).rejects
    ]


@given(
    st.lists(st.tuples(st.integers(0, 10), CELLS), max_size=30),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from(KNOWN_COLUMNS),
)
def test_whatever_a_csv_writer_writes_is_read(
    answers: list[tuple[int, str]], delimiter: str, ending: str, mark: str, column: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=ending)
    writer.writerow(["comment, if any", column.upper(), "at"])
    writer.writerows([comment, score, "2026-11-22"] for score, comment in answers)
    found = read_scores(opened(mark + file.getvalue()))
    assert found.histogram == Histogram.of(score for score, _ in answers)
    assert (found.rejected, found.rejects) == (0, ())
    assert found.delimiter == delimiter
    assert found.column == column.upper()


def test_a_spreadsheet_export_with_its_oddities_is_understood() -> None:
    text = "\ufeffsep=;\r\n\r\nKunde; Score ;Kommentar\r\nA;9;gut, sehr gut\r\nB;9,0;\r\nC;10.0;x\r\n;;\r\n\r\n"
    found = read_scores(opened(text))
    assert found.histogram == Histogram.of([9, 9, 10])
    assert (found.column, found.delimiter, found.rejected) == ("Score", ";", 0)
    assert rejects_of(text + "D;?;\r\n") == [(9, "not_a_number")]


def test_a_space_after_the_delimiter_does_not_hide_the_quotes() -> None:
    assert read_scores(opened('id, comment, score\n1, "good, but", 9\n')).histogram == Histogram.of([9])


def test_a_plain_column_of_numbers_needs_only_its_heading() -> None:
    assert read_scores(opened("score\n10\n0\n7")).histogram == Histogram.of([10, 0, 7])


def test_lines_need_no_endings() -> None:
    assert read_scores(["score", "10", "0"]).histogram == Histogram.of([10, 0])


def test_rows_that_are_not_answers_are_rejected_by_line_and_reason() -> None:
    rows = ["id,score", "1,9", "2,eleven", "3,11", "4,-1", "5,3.5", "6,", "7", "8,9e0", "9,٣", "10,8"]
    assert rejects_of("\n".join(rows)) == [
        (3, "not_a_number"),
        (4, "out_of_range"),
        (5, "out_of_range"),
        (6, "not_whole"),
        (7, "empty"),
        (8, "empty"),
        (9, "not_a_number"),
        (10, "not_a_number"),
    ]
    assert read_scores(rows).histogram == Histogram.of([9, 8])


def test_the_line_is_where_the_row_begins_however_long_its_comments_are() -> None:
    text = 'comment,score\n"one\n\ntwo",9\n\n"three\nfour",x\n5,y\n'
    assert rejects_of(text) == [(6, "not_a_number"), (8, "not_a_number")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_ending_counts_lines_alike(ending: str) -> None:
    assert rejects_of(ending.join(["score", "9", "x", "8", "y"])) == [(3, "not_a_number"), (5, "not_a_number")]


def test_a_stray_quote_costs_its_own_line_and_no_other() -> None:
    found = read_scores(opened('score,comment\n9,"nice\n8,fine\n7,"ok"\n10,\n'))
    assert found.histogram == Histogram.of([8, 7, 10])
    assert [(reject.line, reject.reason) for reject in found.rejects] == [(2, RejectReason.UNREADABLE)]


def test_a_stray_quote_that_nothing_closes_costs_its_own_line_and_no_other() -> None:
    rows = ["score,comment\n", '9,"nice\n', *["8,fine\n"] * 30_000, "x,\n"]
    found = read_scores(rows)
    assert found.histogram == Histogram.of([8] * 30_000)
    assert [(reject.line, reject.reason.value) for reject in found.rejects] == [
        (2, "unreadable"),
        (30_003, "not_a_number"),
    ]


@given(st.text(st.sampled_from('9x,;"\n\r \t'), max_size=60))
def test_rubbish_never_breaks_the_reader_and_no_line_is_lost_without_a_word(rubbish: str) -> None:
    lines = [line for line in opened(rubbish) if line.strip(' \t\r\n,;"')]
    found = read_scores(["score\n", *opened(rubbish)])
    spread_out = rubbish.count("\n") + rubbish.count("\r")  # a cell in quotes may hold several lines
    assert len(lines) - spread_out <= found.histogram.n + found.rejected
    numbers = [reject.line for reject in found.rejects]
    assert numbers == sorted(set(numbers))


def test_columns_are_found_by_name_the_best_name_first() -> None:
    text = "Value,NPS,Rating\n1,2,3\n"
    assert read_scores(opened(text)).column == "NPS"
    assert read_scores(opened(text), column="rating ").histogram == Histogram.of([3])


def test_the_delimiter_is_the_one_that_shows_the_column() -> None:
    text = 'a,b,c,d;score\n"x";9\n'
    assert read_scores(opened(text)).delimiter == ";"


@pytest.mark.parametrize("text", ["", "\n \n", "sep=;\n", "name,stars\na,5\n", "9\n10\n", '"score\n9\n', "\ufeff"])
def test_a_file_without_a_score_column_is_refused(text: str) -> None:
    with pytest.raises(ScoreColumnMissing):
        read_scores(opened(text))


def test_the_refusal_names_what_was_sought_and_what_was_there() -> None:
    with pytest.raises(ScoreColumnMissing, match="called grade; found: name, stars"):
        read_scores(opened("name,stars\na,5\n"), column="grade")


def test_the_scale_is_that_of_the_metric() -> None:
    found = read_scores(opened("rating\n0\n1\n5\n6\n"), metric=METRICS["stars"])
    assert found.histogram == Histogram.of([1, 5])
    assert Counter(reject.reason for reject in found.rejects) == {RejectReason.OUT_OF_RANGE: 2}


def test_every_reject_is_counted_but_only_the_first_are_listed() -> None:
    found = read_scores(["score", *["x" * 90] * (MOST_REJECTS_LISTED + 5)])
    assert found.rejected == MOST_REJECTS_LISTED + 5
    assert len(found.rejects) == MOST_REJECTS_LISTED
    assert found.rejects[0].value == "x" * 40
