"""What only pages know. None of it is part of the API, so none of it has a problem type."""


class NobodyThere(Exception):
    """No session, or one that has ended."""


class PageNotFound(Exception):
    """There is no such page, or it shows something of another workspace."""


class ForeignForm(Exception):
    """Another site sent it, or it was shown before somebody logged in anew."""


class NotAllowed(Exception):
    def __init__(self, scope: str) -> None:
        """The key that was logged in with lacks this scope."""
        super().__init__(scope)
        self.scope = scope
