import pytest

from app.domain.webhooks.sealed_options import NOTHING_SEALED, HeaderRefused, SealedOptions, masked


def test_headers_are_merged_removed_by_null_and_cleared_by_null_for_all():
    first = NOTHING_SEALED.changed({"headers": {"Authorization": "Bearer 1", "X-Team": "cx"}})
    assert first.headers == {"authorization": "Bearer 1", "x-team": "cx"}
    second = first.changed({"headers": {"AUTHORIZATION": "Bearer 2", "x-team": None, "x-unknown": None}})
    assert second.headers == {"authorization": "Bearer 2"}
    assert second.changed({"headers": {}}) == second.changed({}) == second
    assert second.changed({"headers": None}) == NOTHING_SEALED


def test_options_that_are_not_given_stay():
    both = NOTHING_SEALED.changed({"headers": {"x-a": "1"}, "delighted_key": "abcdefgh"})
    assert both.changed({"headers": None}) == SealedOptions({}, "abcdefgh")
    assert both.changed({"delighted_key": None}) == SealedOptions({"x-a": "1"})


def test_what_is_stored_reads_back_and_shows_nothing_in_logs():
    options = SealedOptions({"authorization": "Bearer secret"}, "delighted-secret")
    assert SealedOptions.read(options.text()) == options
    assert "secret" not in repr(options)


RESERVED = [
    "Host",
    "content-length",
    "Content-Type",
    "Transfer-Encoding",
    "connection",
    "expect",
    "proxy-authorization",
]
OURS = ["webhook-id", "Webhook-Signature", "webhook-anything", "x-delighted-webhook-signature"]


@pytest.mark.parametrize("name", [*RESERVED, *OURS, "", "a b", "a:b", "a\nb", "ä", "x" * 65, "x-\u212a"])
def test_names_that_are_ours_or_none_are_refused(name):
    with pytest.raises(HeaderRefused) as raised:
        NOTHING_SEALED.changed({"headers": {name: "x"}})

    assert raised.value.pointer == f"/headers/{name}"


@pytest.mark.parametrize("value", ["", " a", "a ", "a\r\nx: y", "a\nb", "ä", "a\x00", "x" * 1_025])
def test_values_that_could_be_read_in_two_ways_are_refused_and_not_repeated(value):
    with pytest.raises(HeaderRefused) as raised:
        NOTHING_SEALED.changed({"headers": {"x-a": value}})

    assert len(value) < 3 or value not in raised.value.detail


def test_a_header_is_given_once():
    with pytest.raises(HeaderRefused, match="twice"):
        NOTHING_SEALED.changed({"headers": {"x-a": "1", "X-A": "2"}})


def test_there_are_at_most_twenty():
    twenty = NOTHING_SEALED.changed({"headers": {f"x-{number}": "1" for number in range(20)}})
    with pytest.raises(HeaderRefused, match="20"):
        twenty.changed({"headers": {"x-20": "1"}})
    assert len(twenty.changed({"headers": {"x-20": "1", "x-0": None}}).headers) == 20


def test_only_long_secrets_show_their_end():
    assert masked("0123456789abcdef") == "…cdef"
    assert masked("0123456789abcde") == "…"
