"""One spelling for each mailbox, or somebody would be two people."""

from unicodedata import normalize

LONGEST_LABEL = 63  # characters in ASCII
# Letters of their own (RFC 5892). Python's codec, by older rules, writes "ss" and "σ": the domain of somebody else.
OWN_LETTERS = frozenset("ßς")


def one_spelling(address: str) -> str:
    """In lower case, the domain in ASCII, as mail goes to it. What is no address stays what it is."""
    text = address.strip().lower()
    if text.isascii():
        return text
    local, at, domain = normalize("NFC", text).rpartition("@")
    try:
        return f"{local}{at}{ascii_domain(domain)}"
    except UnicodeError:
        return text


def ascii_domain(domain: str) -> str:
    """As the DNS knows it. Raises UnicodeError."""
    if OWN_LETTERS.isdisjoint(domain):
        return domain.encode("idna").decode("ascii")
    plain = normalize("NFKC", domain).replace("\u3002", ".")  # as the codec does: wide letters, and the dots of Asia
    return ".".join(_ascii_label(label) for label in plain.split("."))


def _ascii_label(label: str) -> str:
    if OWN_LETTERS.isdisjoint(label):
        return label.encode("idna").decode("ascii")
    written = "xn--" + label.encode("punycode").decode("ascii")
    if len(written) > LONGEST_LABEL:
        raise UnicodeError("label too long")
    return written
