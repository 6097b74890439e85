"""How long somebody stays logged in at the dashboard."""

from datetime import timedelta

IDLE_AFTER = timedelta(hours=2)  # without a page asked for
ENDS_AFTER = timedelta(hours=12)  # whatever happens: a working day
