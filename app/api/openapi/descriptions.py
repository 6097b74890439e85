DESCRIPTION = """\
Zeroten asks the Net Promoter question, records every answer once, announces it for certain, and tells the truth about
its score.

**Keys.** `Authorization: Bearer zt_sk_live_…`, or Basic authentication with the key as user name. A key belongs to one
workspace, live or test, and sees nothing of any other: what belongs to somebody else is not found.

**Requests** are JSON in UTF-8. Unknown fields, duplicate keys, NUL and lone surrogates are refused, and no value is
turned from one type into another. Instants are RFC 3339 with a zone, between the years 1900 and 2200; whole
numbers are written without a point. In a PATCH, what is left out stays, and null clears.

**Lists** come in pages: `data`, and a `next_cursor` to send as `cursor`. With `updated_after`, a list goes in order of
change and never skips what was committed late: keep the last `next_cursor` and come back with it.

**Repeating.** POST routes that make something take an `Idempotency-Key`; whoever got no reply sends the same again.

**Refusals** are `application/problem+json` (RFC 9457) for every status from 400 on, those of unknown routes and our own
mistakes (500) included. `code` is stable; `GET /problems/{code}` explains each. `x-problems` lists the codes that an
operation's status stands for.

**v1 only grows.** Fields, operations, event types and codes may be added; readers should ignore what they do not know.

**Webhooks** are signed as Standard Webhooks 1.0 has it, arrive at least once and always under the same `webhook-id`,
and not always in order: of two copies of a thing, the one with the higher `revision` is the later.
"""

TAGS = [
    {"name": "responses", "description": "Answers: recorded, read, amended, excluded."},
    {"name": "widget", "description": "Answers straight from a browser."},
    {"name": "campaigns", "description": "What is asked, of whom, and when the asking begins and ends."},
    {"name": "invitations", "description": "Who is asked, who was, who was not and why."},
    {"name": "touchpoints", "description": "What happened to people, after which they may be asked."},
    {"name": "recipients", "description": "The people who may be asked."},
    {"name": "accounts", "description": "The companies they belong to."},
    {"name": "imports", "description": "Many recipients from a file."},
    {"name": "scores", "description": "The score of any slice that is counted, with its n and margin of error."},
    {"name": "events", "description": "The feed of what happened, for 30 days."},
    {"name": "webhooks", "description": "Who is told of what happens, and what became of the telling."},
    {"name": "workspace", "description": "The workspace a key belongs to."},
    {"name": "mail sources", "description": "Who tells us of bounces and complaints."},
    {"name": "sender domains", "description": "What the DNS says about the domains that mails come from."},
    {"name": "API keys", "description": "Secret keys for servers, publishable ones for browsers."},
    {"name": "operation", "description": "Is it alive, is it ready, what does a problem mean."},
]
