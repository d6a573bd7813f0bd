"""The web client and the API's documentation, as pages that need nothing from elsewhere."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from pathlib import Path

from aiohttp import hdrs, web

from chatserver.gateways.assets import CACHE, Asset, Assets
from chatserver.gateways.build import IMPORT_MAP, Build
from chatserver.gateways.headers import CSP, page_policy

ICON = "icons/icon.svg"
DECLARATIONS = "src/protocol.d.ts"
INDEX, EVENTS = "index.html", "events.html"

DOCS = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>{{app_name}} API</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="icon" href="/assets/icons/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/vendor/swagger-ui.css">
    <link rel="stylesheet" href="/assets/style/docs_nav.css">
  </head>
  <body>
    <nav class="docs-nav" aria-label="Documentation">
      <a href="/">{{app_name}}</a>
      <a href="/docs" aria-current="page">REST</a>
      <a href="/docs/events">Events</a>
      <a href="/api/v1/openapi.json">OpenAPI</a>
    </nav>
    <div id="swagger-ui"></div>
    <noscript><p>This page needs JavaScript; the contract itself is at
      <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p></noscript>
    <script src="/vendor/swagger-ui-bundle.js"></script>
    <script src="/docs/init.js"></script>
  </body>
</html>
"""

DOCS_SCRIPT = """SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""

NOT_BUILT = """<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>{{app_name}}</title></head>
  <body>
    <h1>The web client was not built</h1>
    <p>The server works, but this installation came without its pages. Install it again with
      <code>pip install .</code> (or <code>pip install -e .</code>), which builds them, and reload
      this page.</p>
  </body>
</html>
"""


class Pages:
    """`web_root` is the folder that the build makes: `app` is the client, `vendor` its packages.

    `values` replace `{{name}}` in pages, escaped for HTML.
    """

    def __init__(self, web_root: Path, values: Mapping[str, str]) -> None:
        self._client = Assets(web_root / "app", hidden=frozenset({INDEX, EVENTS}))
        self._vendor = Assets(web_root / "vendor")
        self._templates = Assets(web_root / "app")
        self._build = Build(web_root)
        self._values = values

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self._index)
        app.router.add_get("/docs", self._docs)
        app.router.add_get("/docs/init.js", self._docs_script)
        app.router.add_get("/docs/events", self._events)
        app.router.add_get("/protocol.d.ts", self._declarations)
        app.router.add_get("/favicon.ico", self._icon)
        for path, assets in (("assets", self._client), ("vendor", self._vendor)):
            app.router.add_get(f"/{path}/{{name:.+}}", assets.handler())
            app.router.add_get(
                f"/build/{{digest}}/{path}/{{name:.+}}", assets.handler(self._is_of_this_build)
            )

    async def _index(self, request: web.Request) -> web.StreamResponse:
        template = self._templates.get(INDEX)
        if template is None:
            return self._not_built()
        return self._page(self._named_by_build(template.content.decode()), request)

    def _named_by_build(self, page: str) -> str:
        """With addresses that never mean anything else, and all modules to be fetched at once."""
        preloads = [f'<link rel="modulepreload" href="{path}">' for path in self._build.modules]
        page = page.replace("</head>", "".join([*preloads, "</head>"]))
        return re.sub(r'"/(assets|vendor)/', rf'"/build/{self._build.digest}/\1/', page)

    def _is_of_this_build(self, request: web.Request) -> bool:
        return request.match_info["digest"] == self._build.digest

    async def _docs(self, request: web.Request) -> web.StreamResponse:
        if self._vendor.get("swagger-ui-bundle.js") is None:
            return self._not_built()
        return self._page(DOCS, request)

    async def _docs_script(self, request: web.Request) -> web.StreamResponse:
        return Asset(DOCS_SCRIPT.encode(), "text/javascript", packable=False).response(request)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        template = self._templates.get(EVENTS)
        if template is None:
            return self._not_built()
        return self._page(template.content.decode(), request)

    async def _declarations(self, request: web.Request) -> web.StreamResponse:
        return self._file(DECLARATIONS, request)

    async def _icon(self, request: web.Request) -> web.StreamResponse:
        # Browsers ask for this name where a page names no icon; they take it in any format.
        return self._file(ICON, request)

    def _file(self, name: str, request: web.Request) -> web.Response:
        asset = self._client.get(name)
        if asset is None:
            raise web.HTTPNotFound
        return asset.response(request)

    def _page(self, template: str, request: web.Request) -> web.Response:
        page = self._filled(template)
        response = Asset(page.encode(), "text/html", packable=True).response(request)
        response.headers[CSP] = page_policy(*(_sha256(each) for each in IMPORT_MAP.findall(page)))
        return response

    def _not_built(self) -> web.Response:
        return web.Response(
            status=503,
            text=self._filled(NOT_BUILT),
            content_type="text/html",
            headers={hdrs.CACHE_CONTROL: CACHE, CSP: page_policy()},
        )

    def _filled(self, template: str) -> str:
        return re.sub(
            r"{{(\w+)}}", lambda found: html.escape(self._values.get(found[1], "")), template
        )


def setup(app: web.Application, *, web_root: Path, values: Mapping[str, str]) -> None:
    """Adds `/`, `/assets`, `/vendor`, `/docs`, `/protocol.d.ts` and `/favicon.ico`. See `Pages`."""
    Pages(web_root, values).add_to(app)


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
