import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.webhooks.addresses import Guard
from app.domain.webhooks.receiver_url import LONGEST_URL, UnusableURL, check_receiver_url

CLOSED, DEV, INNER = Guard(), Guard(allow_loopback=True), Guard.read("10.0.0.0/8")


def refusal(url: str, *, guard: Guard = CLOSED) -> str | None:
    try:
        check_receiver_url(url, guard=guard)
    except UnusableURL as error:
        return error.detail
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://hooks.example.com:8443/a/b?sig=a%2Fb&x=[1]",
        "HTTPS://EXAMPLE.COM/",
        "https://xn--bcher-kva.example/",
        "https://my_service.internal.example/",
        "https://example.com./",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]:8443/",
        "https://a.0x7f.example/",
        "https://example.com/" + "a" * (LONGEST_URL - 20),
    ],
)
def test_a_plain_https_url_is_fine(url):
    assert refusal(url) is None


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("https://example.com/" + "a" * (LONGEST_URL - 19), "at most"),
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("javascript:alert(1)", "https://"),
        ("//example.com/", "https://"),
        ("example.com", "https://"),
        ("", "RFC 3986"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://:8443/", "no host"),
        ("https://user@example.com/", "password"),
        ("https://user:secret@example.com/", "password"),
        ("https://@example.com/", "password"),
        ("https://example.com/#part", "after #"),
        ("https://example.com/#", "after #"),
        ("https://example.com:0/", "Port 0"),
        ("https://example.com:65536/", "cannot be read"),
        ("https://example.com:eighty/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://[v1.x]/", "IPv6"),
        ("https://exa mple.com/", "RFC 3986"),
        ("https://example.com/a\r\nx: y", "RFC 3986"),
        ("https://example.com\\@127.0.0.1/", "RFC 3986"),
        ("https://bücher.example/", "punycode"),
        ("https://１２７.0.0.1/", "RFC 3986"),
        ("https://%31%32%37.0.0.1/", "four decimal numbers"),
        ("https://%65xample.com/", "host name"),
        ("https://-a.example/", "host name"),
        ("https://a..example/", "host name"),
        ("https://" + "a" * 64 + ".example/", "host name"),
        ("https://" + "a." * 130 + "example/", "host name"),
        ("https://[fe80::1%25eth0]/", "host name"),
    ],
)
def test_what_is_no_url_for_us_is_refused_with_a_reason(url, because):
    assert because in (refusal(url) or "accepted")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fd00::1]"],
)
def test_a_literal_address_of_our_own_is_refused(host):
    assert "operator" in refusal(f"https://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "0",
        "0x",
        "1.1.1.257",
        "a.123",
        "8.8.8.0x8",
    ],
)
@pytest.mark.parametrize("guard", [CLOSED, DEV], ids=["closed", "dev"])
def test_an_odd_spelling_of_an_address_is_refused_wherever_it_leads(host, guard):
    assert "four decimal numbers" in refusal(f"https://{host}/", guard=guard)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "api.localhost"])
def test_localhost_is_for_dev(host):
    assert "this server" in refusal(f"https://{host}/")
    assert refusal(f"http://{host}:3000/", guard=DEV) is None


@pytest.mark.parametrize(
    ("url", "guard", "accepted"),
    [
        ("http://example.com/", CLOSED, False),
        ("http://1.1.1.1/", CLOSED, False),
        ("http://1.1.1.1/", DEV, False),
        ("http://1.1.1.1/", INNER, False),
        ("http://127.0.0.1:3000/", DEV, True),
        ("http://[::1]:3000/", DEV, True),
        ("http://127.0.0.1:3000/", INNER, False),
        ("http://10.1.2.3/", INNER, True),
        ("http://n8n:5678/webhook", INNER, True),  # the name may lead inside; the connection will tell
        ("http://n8n:5678/webhook", CLOSED, False),
        ("https://n8n/webhook", CLOSED, True),
    ],
)
def test_plain_http_is_for_networks_the_operator_allows(url, guard, accepted):
    assert (refusal(url, guard=guard) is None) is accepted


def test_the_refusal_points_at_the_field():
    with pytest.raises(UnusableURL) as raised:
        check_receiver_url("", guard=CLOSED)

    assert raised.value.pointer == "/url"


@given(st.text() | st.text().map("https://{}/".format) | st.from_regex(r"https?://[\[\]0-9a-fx.:@%]{0,20}/?"))
@example("https://[")
@example("https://]/")
@example("https://[[::1]]/")
@example("https://[::ffff:0:0:0]/")
def test_any_text_is_accepted_or_refused_and_never_crashes(url):
    refusal(url)
