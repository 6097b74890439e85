from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.webhooks.addresses import Guard, read_address

CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "0:0:0:0:0:ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "4000::1",
    "e000::1",
]
OPEN = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00::1",
]


@pytest.mark.parametrize("text", CLOSED)
def test_nobody_may_connect_into_our_own_networks(text):
    assert Guard().why_refused(read_address(text))


@pytest.mark.parametrize("text", OPEN)
def test_the_open_internet_is_fine(text):
    assert Guard().why_refused(read_address(text)) is None


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_whatever_python_calls_private_is_refused_too(address):
    canonical = read_address(str(address))
    if not canonical.is_global or canonical.is_multicast:
        assert Guard().why_refused(canonical)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_wrapping_of_an_ipv4_address_is_more_allowed_than_the_address(address):
    number = int(address)
    mapped = read_address(str(IPv6Address(0xFFFF << 32 | number)))
    assert Guard().why_refused(mapped) == Guard().why_refused(address)
    for prefix in (0, 0xFFFF << 48, int(IPv6Address("64:ff9b::"))):
        assert Guard().why_refused(IPv6Address(prefix | number))
    assert Guard().why_refused(IPv6Address(0x2002 << 112 | number << 80))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("169.254.169.254", "metadata"),
        ("::", "this host"),
        ("::1", "loopback"),
        ("::7f00:1", "compatible"),
        ("::ffff:0:127.0.0.1", "translated"),
        ("64:ff9b::7f00:1", "NAT64"),
        ("64:ff9b:1::1", "local NAT64"),
        ("100::1", "discard"),
        ("2001::1", "Teredo"),
        ("2002:7f00:1::", "6to4"),
        ("5f00::1", "segment routing"),
        ("fd00::1", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("4000::1", "outside the open internet"),
    ],
)
def test_the_refusal_says_what_the_address_is(text, reason):
    assert reason in Guard().why_refused(read_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "1.2.3",
        "256.1.1.1",
        "localhost",
        "fe80::1%eth0",
        "[::1]",
        "::ffff:0177.0.0.1",
        "１27.0.0.1",
        " 127.0.0.1",
        "",
    ],
)
def test_only_canonical_spellings_are_addresses(text):
    assert read_address(text) is None


def test_a_mapped_address_is_the_address_inside():
    assert read_address("::ffff:7f00:1") == IPv4Address("127.0.0.1")


@pytest.mark.parametrize("text", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7", "192.168.1.5"])
def test_the_operator_can_allow_networks(text):
    guard = Guard.read(" 10.1.0.0/16,fd00::/8 , 192.168.1.5,")

    assert guard.why_refused(read_address(text)) is None
    assert guard.vouches_for(read_address(text))


@pytest.mark.parametrize("text", ["10.2.0.1", "192.168.1.6", "127.0.0.1", "169.254.169.254", "64:ff9b::10.1.2.3"])
def test_allowing_a_network_allows_no_other(text):
    assert Guard.read("10.1.0.0/16,fd00::/8,192.168.1.5").why_refused(read_address(text))


def test_dev_allows_loopback_and_nothing_else():
    guard = Guard(allow_loopback=True)

    assert [guard.why_refused(read_address(text)) for text in ("127.0.0.1", "::1", "::ffff:127.9.9.9")] == [None] * 3
    assert guard.why_refused(read_address("10.0.0.1"))
    assert guard.why_refused(ip_address("0.0.0.0"))


@pytest.mark.parametrize("cidrs", ["10.0.0.1/8", "ten", "10.0.0.0/33", "fd00::/8;10.0.0.0/8"])
def test_a_network_that_cannot_be_read_stops_the_start(cidrs):
    with pytest.raises(ValueError, match=cidrs.split("/", maxsplit=1)[0]):
        Guard.read(cidrs)


def test_vouching_for_the_public_internet_is_not_the_default():
    assert not Guard().vouches_for_any
    assert not Guard().vouches_for(read_address("1.1.1.1"))
