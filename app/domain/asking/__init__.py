"""When a campaign asks, how often, whom it spares, and when it stops."""
