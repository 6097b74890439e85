"""Three cookies, none of which a script can read: who is there, which log-in form was shown, what was just done.

Over https their names begin with `__Host-`: browsers then refuse any that was set for other hosts, or without TLS.
"""

from fastapi import Request, Response

from app.domain.session import ENDS_AFTER

SESSION, LOG_IN_FORM, NOTICE = "zeroten_session", "zeroten_log_in", "zeroten_notice"
LASTS_SECONDS = {SESSION: int(ENDS_AFTER.total_seconds()), LOG_IN_FORM: 3600, NOTICE: 30}


def read_cookie(request: Request, kind: str) -> str:
    return request.cookies.get(_name(request, kind), "")


def set_cookie(request: Request, response: Response, kind: str, value: str) -> None:
    response.set_cookie(
        _name(request, kind),
        value,
        max_age=LASTS_SECONDS[kind],
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",  # strict would log out whoever follows a link to a page from their mail
    )


def drop_cookie(request: Request, response: Response, kind: str) -> None:
    response.delete_cookie(_name(request, kind), path="/", secure=is_https(request), httponly=True, samesite="lax")


def is_https(request: Request) -> bool:
    return request.url.scheme == "https"


def _name(request: Request, kind: str) -> str:
    return f"__Host-{kind}" if is_https(request) else kind
