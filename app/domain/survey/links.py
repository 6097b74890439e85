"""Links that we show to people: https and nothing that could be read otherwise."""

from urllib.parse import urlsplit

LONGEST_LINK = 2_000  # characters


def is_safe_link(link: str) -> bool:
    if len(link) > LONGEST_LINK or not link.isprintable() or any(letter in " \"'<>\\" for letter in link):
        return False
    try:
        parts = urlsplit(link)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # a bracket or a port that makes no sense
        return False
