"""Keys cannot be guessed; this keeps whoever tries from costing anything, and from filling the log."""

from collections import OrderedDict
from ipaddress import ip_address
from time import monotonic

AT_ONCE = 10
EVERY_SECONDS = 30.0  # another try comes back after so long
REMEMBERED_ADDRESSES = 10_000


class LogInLimit:
    """For each address, in this process."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, since

    def allows(self, client: str) -> bool:
        """Takes one of the tries that are left."""
        address, now = _network_of(client), monotonic()
        left, since = self._tries.pop(address, (float(AT_ONCE), now))
        left = min(AT_ONCE, left + (now - since) / EVERY_SECONDS)
        self._tries[address] = (left - 1 if left >= 1 else left, now)
        if len(self._tries) > REMEMBERED_ADDRESSES:
            self._tries.popitem(last=False)
        return left >= 1


def _network_of(client: str) -> str:
    """Whoever has an IPv6 address has 2⁶⁴ of them."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return client if address.version == 4 else address.exploded[:19]
