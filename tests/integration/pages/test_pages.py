import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from chatserver.gateways import headers, pages
from tests.waiting import eventually

Client = TestClient[web.Request, web.Application]

INDEX = """<!doctype html><html><head><title>{{app_name}}</title>
<script type="importmap">
{"imports": {"preact": "/vendor/preact.js"}}
</script>
<script>alert("not ours")</script>
</head><body data-bot="{{default_bot}}">{{unknown}}</body></html>"""


@pytest.fixture
def web_root(tmp_path: Path) -> Path:
    files = {
        "app/index.html": INDEX,
        "app/events.html": INDEX,
        "app/src/protocol.d.ts": "export interface Session {}",
        "app/src/main.js": "// " + "x" * 5_000,
        "app/src/.main.js.swp": "secret",
        "app/src/main.py": "secret",
        "app/style/base.css": "body {}",
        "app/icons/icon.svg": "<svg/>",
        "vendor/preact.js": "export {}",
        "vendor/swagger-ui-bundle.js": "//",
        "secret.txt": "secret",
    }
    for name, content in files.items():
        path = tmp_path / "_web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "_web"


@pytest.fixture
async def client(
    web_root: Path, aiohttp_client: Callable[[web.Application], Awaitable[Client]]
) -> Client:
    app = web.Application()
    headers.setup(app)
    pages.setup(
        app, web_root=web_root, values={"app_name": 'Tea & "Talk" <b>', "default_bot": "corpus"}
    )
    return await aiohttp_client(app)


async def test_the_page_carries_the_operators_values_escaped(client: Client) -> None:
    response = await client.get("/")
    text = await response.text()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>Tea &amp; &quot;Talk&quot; &lt;b&gt;</title>" in text
    assert 'data-bot="corpus"' in text
    assert "{{" not in text


async def test_the_policy_lets_the_import_map_run_and_no_other_inline_script(
    client: Client,
) -> None:
    response = await client.get("/")
    text = await response.text()
    inline = text.split('<script type="importmap">')[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    policy = dict(
        each.strip().split(" ", 1)
        for each in response.headers["Content-Security-Policy"].split(";")
    )
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["default-src"] == policy["style-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "mime"),
    [
        ("/assets/src/main.js", "text/javascript; charset=utf-8"),
        ("/assets/style/base.css", "text/css; charset=utf-8"),
        ("/assets/icons/icon.svg", "image/svg+xml"),
        ("/vendor/preact.js", "text/javascript; charset=utf-8"),
        ("/docs/init.js", "text/javascript; charset=utf-8"),
        ("/favicon.ico", "image/svg+xml"),
        ("/protocol.d.ts", "text/plain; charset=utf-8"),
    ],
)
async def test_files_come_with_their_type_and_are_asked_for_again(
    client: Client, path: str, mime: str
) -> None:
    first = await client.get(path)
    assert (first.status, first.headers["Content-Type"]) == (200, mime)
    assert first.headers["Cache-Control"] == "no-cache"
    again = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_large_files_are_packed_for_those_who_can_unpack(client: Client) -> None:
    packed = await client.get("/assets/src/main.js", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/assets/src/main.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert await packed.read() == await plain.read()


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index.html",
        "/assets/events.html",
        "/assets/src",
        "/assets/src/",
        "/assets/src/other.js",
        "/assets/src/.main.js.swp",
        "/assets/src/main.py",
        "/assets/..%2Fsecret.txt",
        "/assets/src/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        "/assets//etc/passwd.txt",
        "/assets/src%5Cmain.js",
        "/assets/src/main.js%00.js",
        "/assets/" + "a" * 5_000 + ".js",
        "/vendor/other.js",
        "/index.html",
    ],
)
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 404
    assert "secret" not in await response.text()


async def test_an_edited_file_shows_at_the_next_reload(client: Client, web_root: Path) -> None:
    before = await client.get("/assets/style/base.css")
    (web_root / "app/style/base.css").write_text("body { color: teal }")
    after = await client.get(
        "/assets/style/base.css", headers={"If-None-Match": before.headers["ETag"]}
    )
    assert (after.status, await after.text()) == (200, "body { color: teal }")


async def test_the_page_names_files_by_their_build_and_browsers_keep_those(
    client: Client, web_root: Path
) -> None:
    async def named() -> str:
        found = re.search(
            r'"(/build/[^"]+/vendor/preact.js)"', await (await client.get("/")).text()
        )
        assert found
        return found[1]

    path = await named()
    kept = await client.get(path)
    assert (kept.status, await kept.text()) == (200, "export {}")
    assert "immutable" in kept.headers["Cache-Control"]
    (web_root / "vendor/preact.js").write_text("export { other }")

    async def is_renamed() -> bool:
        return await named() != path

    await eventually(is_renamed)
    old = await client.get(path)
    assert (old.status, old.headers["Cache-Control"]) == (200, "no-cache")


async def test_the_documentation_needs_nothing_from_elsewhere(client: Client) -> None:
    response = await client.get("/docs")
    text = await response.text()
    assert response.status == 200
    assert "http" not in text.replace("<!doctype html>", "")
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert "/api/v1/openapi.json" in await (await client.get("/docs/init.js")).text()


async def test_the_page_of_the_events_is_one_of_ours(client: Client) -> None:
    response = await client.get("/docs/events")
    assert response.status == 200
    assert "Tea &amp; &quot;Talk&quot;" in await response.text()
    assert "script-src 'self' 'sha256-" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/events"])
async def test_without_a_built_client_the_page_says_what_to_do(
    client: Client, web_root: Path, path: str
) -> None:
    (web_root / "app/index.html").unlink()
    (web_root / "app/events.html").unlink()
    (web_root / "vendor/swagger-ui-bundle.js").unlink()
    response = await client.get(path)
    assert response.status == 503
    assert "pip install" in await response.text()


@pytest.mark.parametrize("path", ["/", "/assets/src/main.js", "/nothing", "/docs"])
async def test_every_response_has_the_security_headers(client: Client, path: str) -> None:
    response = await client.get(path)
    for name, value in headers.EVERYWHERE.items():
        assert response.headers[name] == value
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
