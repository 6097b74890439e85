"""What goes with every page. Nothing is loaded from anywhere else, nothing runs, nobody may put a page in a frame."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
# A page with a mail in a frame, and the mail itself, which brings styles and perhaps a logo. It is sandboxed even when
# somebody opens it by itself: it runs nothing, sends no form, and is of no origin.
FRAMING = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
FRAMED = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src 'self' https:",  # ours, also where the address that mails name is another one than this
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    )
)
SAFE = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",  # with none at all, browsers would not say where a form comes from
}
PRIVATE = {**SAFE, "cache-control": "no-store", "x-robots-tag": "noindex"}
