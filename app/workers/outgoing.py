"""The client with which workers ask others over HTTP."""

from importlib.metadata import version

from app.config import Settings
from app.domain.webhooks.addresses import Guard
from app.outbound.http import GuardedClient


def outgoing(settings: Settings) -> GuardedClient:
    """Kept from addresses that settings do not allow, and led through the proxy where there is one."""
    guard = Guard.read(settings.receivers_allow_cidrs, allow_loopback=settings.receivers_allow_loopback)
    proxy = settings.outbound_proxy.get_secret_value() if settings.outbound_proxy else None
    return GuardedClient(guard, user_agent=f"Zeroten/{version('zeroten')}", proxy=proxy)
