"""Headers that tell browsers what a page may do."""

from aiohttp import web

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), "
    "payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

CSP = "Content-Security-Policy"

NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
"""The policy of what is no page, in case a browser shows it as one."""


def page_policy(*script_hashes: str) -> str:
    """The policy of our pages: all comes from here, and no inline script but those given runs."""
    scripts = " ".join(["'self'", *(f"'sha256-{each}'" for each in script_hashes)])
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",
            # Browsers differ in whether 'self' includes WebSockets of the same origin.
            "connect-src 'self' ws: wss:",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        )
    )


def setup(app: web.Application) -> None:
    """Adds them to every response of `app`, errors and those of sub-applications included.

    A response that brings its own `Content-Security-Policy` keeps it.
    """

    async def add(_: web.Request, response: web.StreamResponse) -> None:
        for name, value in EVERYWHERE.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault(CSP, NO_PAGE)

    app.on_response_prepare.append(add)
