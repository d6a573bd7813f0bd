"""Files of the web client, read when they are first asked for and whenever they have changed."""

import gzip
import hashlib
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

# The system's table is not asked: it differs from machine to machine, and browsers refuse a module
# of the wrong type.
MIME = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PACKED = {".png", ".webp", ".woff2"}
"""Formats that compress by themselves."""
WORTH_PACKING = 1_024
"""Bytes below which a compressed body saves no packet."""

CACHE = "no-cache"
"""For names without a version: without asking, a browser could mix files of two releases."""
CACHE_FOR_EVER = "public, max-age=31536000, immutable"
"""For addresses that name their content."""


@dataclass(frozen=True)
class Asset:
    content: bytes
    mime: str
    packable: bool

    @cached_property
    def etag(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:32]

    @cached_property
    def packed(self) -> bytes | None:
        """The content in gzip, where that is worth it."""
        if not self.packable or len(self.content) < WORTH_PACKING:
            return None
        return gzip.compress(self.content, compresslevel=6, mtime=0)

    def response(self, request: web.Request, cache: str = CACHE) -> web.Response:
        """200, or 304 for a browser that has it."""
        headers = {
            hdrs.CACHE_CONTROL: cache,
            # Weak: the packed and the plain body share it.
            hdrs.ETAG: f'W/"{self.etag}"',
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
        }
        if any(known.value in (self.etag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body = self.content
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "") and self.packed is not None:
            body = self.packed
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        charset = "utf-8" if self.mime.startswith("text/") else None
        return web.Response(body=body, content_type=self.mime, charset=charset, headers=headers)


class Assets:
    """The files below a folder, which may come to be (or be replaced) while the server runs."""

    def __init__(self, root: Path, *, hidden: frozenset[str] = frozenset()) -> None:
        self._root = root
        self._hidden = hidden
        self._known: dict[str, tuple[tuple[int, int], Asset]] = {}

    def get(self, name: str) -> Asset | None:
        """The file of this name; None where there is none, or none that may be shown."""
        path = self._path(name)
        if path is None:
            return None
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                return None
            version = (found.st_mtime_ns, found.st_size)
            known = self._known.get(name)
            if known is None or known[0] != version:
                asset = Asset(path.read_bytes(), MIME[path.suffix], path.suffix not in PACKED)
                self._known[name] = known = (version, asset)
        except OSError:
            return None
        return known[1]

    def handler(self, is_fixed: Callable[[web.Request], bool] = lambda _: False) -> Handler:
        """For a route that ends in `{name:.+}`; `is_fixed`: the address names the content."""

        async def serve(request: web.Request) -> web.StreamResponse:
            asset = self.get(request.match_info["name"])
            if asset is None:
                raise web.HTTPNotFound
            return asset.response(request, CACHE_FOR_EVER if is_fixed(request) else CACHE)

        return serve

    def _path(self, name: str) -> Path | None:
        parts = name.split("/")
        if name in self._hidden or "\\" in name or "\0" in name:
            return None
        # Also refuses "", "." and "..", and whatever an editor leaves behind.
        if any(not part or part.startswith(".") for part in parts):
            return None
        path = self._root.joinpath(*parts)
        return path if path.suffix in MIME else None
