"""How a code becomes a refresh token, and that an access: alike at most services, but for their words for trouble."""

from collections.abc import Collection, Mapping

from app.domain.connectors.authorization import AuthorizationFailure, Granted, NotGranted, failure_named
from app.domain.connectors.protocol import TOKEN, Access, Call, Failed, Reply, Steps, expect_success, usable_seconds
from app.domain.webhooks.attempts import Failure

EARLY_SECONDS = 300.0  # before an access ends


def exchanged(url: str, form: Mapping[str, str], *, scopes: Collection[str] = ()) -> Steps:
    """`scopes`: which have to be among those that were granted, where the service says which were."""
    reply = yield Call("POST", url, form=form)
    yield _granted(reply, scopes)


def refreshed(url: str, form: Mapping[str, str], *, base_url: str | None, seconds: float) -> Steps:
    """`base_url`: of the API; none where the reply names it. `seconds`: how long an access holds that does not say."""
    reply = yield Call("POST", url, form={"grant_type": "refresh_token", **form})
    if reply.status in {400, 401}:  # taken back, or the app is gone
        raise Failed(Failure.UNAUTHORIZED)
    expect_success(reply)
    lasting = usable_seconds(reply.member("expires_in"))
    token, renewed = reply.needed("access_token", like=TOKEN), reply.word("refresh_token")
    yield Access(
        token,
        base_url or reply.needed_url("instance_url"),
        seconds if lasting is None else lasting - EARLY_SECONDS,
        renewed if renewed and TOKEN.fullmatch(renewed) and renewed != form["refresh_token"] else None,
    )


def _granted(reply: Reply, scopes: Collection[str]) -> Granted | NotGranted:
    """Raises Failed, of what passes."""
    words = reply.member("error"), reply.member("status"), reply.member("category")
    named = next((found for word in words if (found := failure_named(word))), None)
    if named is not None:
        return NotGranted(named)
    if reply.member("error") or (400 <= reply.status < 500 and reply.status not in {408, 425, 429}):
        return NotGranted(AuthorizationFailure.REFUSED)
    expect_success(reply)
    said = reply.word("scope")
    if said is not None and not set(scopes) <= set(said.replace(",", " ").split()):
        return NotGranted(AuthorizationFailure.MISSING_SCOPES)
    token = reply.word("refresh_token")
    if token is None or not TOKEN.fullmatch(token):
        reply.needed("access_token", like=TOKEN)  # else it is no reply to this at all
        return NotGranted(AuthorizationFailure.NO_REFRESH_TOKEN)
    return Granted(token)
