class Refusal(Exception):
    """Why a verb does not do it, and what would help. For the operator: no traceback, exit status 1."""
