"""How many deliveries an endpoint with a rate limit may be handed at a time."""

AHEAD_SECONDS = 0.1  # so much of the rate is claimed at once: fewer claims, and bursts nobody notices
LOWEST_RATE, HIGHEST_RATE = 1, 1_000  # deliveries per second


def batch_of(rate: int) -> int:
    """What one claim may take; the next one has to wait until that much is paid for."""
    return max(1, int(rate * AHEAD_SECONDS))
