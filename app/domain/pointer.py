def json_pointer(*steps: object) -> str:
    """RFC 6901; without steps it is the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
