"""Which addresses we may connect to on a customer's behalf.

Whoever can name a URL can otherwise make this server knock on doors that only it can reach: databases on the
loopback, routers, the cloud's metadata service. Python's `ipaddress.is_global` is not that rule: it calls multicast,
the 6to4 relay and both NAT64 prefixes global (and through NAT64, `64:ff9b::7f00:1` is 127.0.0.1). So every range
stands here with its reason, after the special-purpose registries of RFC 6890 and their additions.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

CLOSED_V4 = {
    IPv4Network("0.0.0.0/8"): "this host",
    IPv4Network("10.0.0.0/8"): "a private network",
    IPv4Network("100.64.0.0/10"): "a carrier's or cloud's inner network",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("168.63.129.16/32"): "the cloud's platform service",  # Azure's, on an otherwise public range
    IPv4Network("169.254.0.0/16"): "link-local, where clouds keep their metadata",
    IPv4Network("172.16.0.0/12"): "a private network",
    IPv4Network("192.0.0.0/24"): "reserved for protocols",
    IPv4Network("192.0.2.0/24"): "for documentation",
    IPv4Network("192.88.99.0/24"): "the old 6to4 relay",
    IPv4Network("192.168.0.0/16"): "a private network",
    IPv4Network("198.18.0.0/15"): "for benchmarks",
    IPv4Network("198.51.100.0/24"): "for documentation",
    IPv4Network("203.0.113.0/24"): "for documentation",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved, or broadcast",
}

CLOSED_V6 = {
    IPv6Network("::/128"): "this host",
    IPv6Network("::1/128"): "loopback",
    IPv6Network("::/96"): "an IPv4 address in disguise (compatible)",
    IPv6Network("::ffff:0:0:0/96"): "an IPv4 address in disguise (translated)",
    IPv6Network("64:ff9b::/96"): "an IPv4 address in disguise (NAT64)",
    IPv6Network("64:ff9b:1::/48"): "an IPv4 address in disguise (local NAT64)",
    IPv6Network("100::/64"): "the discard prefix",
    IPv6Network("2001::/23"): "reserved for protocols, Teredo among them",
    IPv6Network("2001:db8::/32"): "for documentation",
    IPv6Network("2002::/16"): "an IPv4 address in disguise (6to4)",
    IPv6Network("3fff::/20"): "for documentation",
    IPv6Network("5f00::/16"): "segment routing, inside one operator",
    IPv6Network("fc00::/7"): "a private network",
    IPv6Network("fe80::/10"): "link-local",
    IPv6Network("fec0::/10"): "a private network (site-local)",
    IPv6Network("ff00::/8"): "multicast",
}
GLOBAL_V6 = IPv6Network("2000::/3")  # all that was ever handed out for the open internet


@dataclass(frozen=True, slots=True)
class Guard:
    """What this server may connect to beyond the open internet: the operator's word, fixed while we run."""

    networks: tuple[Network, ...] = ()
    allow_loopback: bool = False

    @classmethod
    def read(cls, cidrs: str, *, allow_loopback: bool = False) -> Self:
        """From comma-separated networks (`10.1.0.0/16, fd00::/8`). Raises ValueError naming the bad one."""
        networks = tuple(ip_network(cidr.strip()) for cidr in cidrs.split(",") if cidr.strip())
        return cls(networks=networks, allow_loopback=allow_loopback)

    @property
    def vouches_for_any(self) -> bool:
        return self.allow_loopback or bool(self.networks)

    def vouches_for(self, address: Address) -> bool:
        """The operator said so: such an address is allowed, and plain http to it as well."""
        if self.allow_loopback and address.is_loopback:
            return True
        return any(address in network for network in self.networks)

    def why_refused(self, address: Address) -> str | None:
        """What the address is, when nobody may connect to it; None when it is fine."""
        return None if self.vouches_for(address) else why_closed(address)


def why_closed(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in CLOSED_V4.items() if address in network), None)
    reason = next((reason for network, reason in CLOSED_V6.items() if address in network), None)
    return reason or (None if address in GLOBAL_V6 else "outside the open internet")


def read_address(text: str) -> Address | None:
    """The one address a canonical spelling means; an IPv4 address wrapped as `::ffff:…` is unwrapped.

    None for everything else. `2130706433`, `0x7f.1` and `127.1` are 127.0.0.1 to the C library, so a caller that
    cannot read an address here must refuse it, not resolve it.
    """
    if "%" in text:
        return None  # a zone (`fe80::1%eth0`) means something on one machine only
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
