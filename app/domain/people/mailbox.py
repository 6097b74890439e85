"""One spelling for each mailbox, or somebody would be two people."""

from unicodedata import normalize


def one_spelling(address: str) -> str:
    """In lower case, the domain in ASCII, as mail goes to it. What is no address stays what it is."""
    text = address.strip().lower()
    if text.isascii():
        return text
    local, at, domain = normalize("NFC", text).rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return text
