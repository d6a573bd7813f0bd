"""One build of the web client: its digest, by which browsers keep it, and the modules it needs."""

import hashlib
import json
import posixpath
import re
import time
from pathlib import Path

IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)
ENTRY = re.compile(r'<script type="module" src="(/[^"]+)"')
IMPORT = re.compile(r'^\s*(?:import|export|\}\s*from)\b[^"\n]*"([^"\n]+)"', re.MULTILINE)
"""A static import. (An `import()` is for what is not needed at once.)"""
LOOK_SECONDS = 1.0
"""How soon an edited file is noticed."""

Stamps = dict[str, tuple[int, int]]


class Build:
    """The files below `root` as they are now: `app` is served as /assets, `vendor` as /vendor."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamps: Stamps | None = None
        self._looked = float("-inf")
        self._digest = ""
        self._modules: list[str] = []

    @property
    def digest(self) -> str:
        """Another for other contents; the same on every machine that has the same."""
        self._look()
        return self._digest

    @property
    def modules(self) -> list[str]:
        """The paths of all modules that the page imports, directly or through others."""
        self._look()
        return self._modules

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        stamps = self._read_stamps()
        if stamps != self._stamps:
            self._stamps = stamps
            self._digest = self._hash(sorted(stamps))
            self._modules = self._reachable()

    def _read_stamps(self) -> Stamps:
        stamps: Stamps = {}
        for folder in ("app", "vendor"):
            for path in (self._root / folder).rglob("*"):
                found = path.stat()
                if path.is_file():
                    name = path.relative_to(self._root).as_posix()
                    stamps[name] = (found.st_mtime_ns, found.st_size)
        return stamps

    def _hash(self, names: list[str]) -> str:
        digest = hashlib.sha256()
        for name in names:
            content = (self._root / name).read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]

    def _reachable(self) -> list[str]:
        page = self._text("/assets/index.html")
        found = IMPORT_MAP.search(page)
        imports: dict[str, str] = json.loads(found[1])["imports"] if found else {}
        waiting, seen = ENTRY.findall(page), dict[str, None]()
        while waiting:
            path = waiting.pop()
            text = self._text(path)
            if path in seen or not text:
                continue
            seen[path] = None
            for target in IMPORT.findall(text):
                if target.startswith("."):
                    waiting.append(posixpath.normpath(posixpath.join(path, "..", target)))
                elif target in imports:
                    waiting.append(imports[target])
        return list(seen)

    def _text(self, path: str) -> str:
        file = self._root / re.sub(r"^/assets/", "app/", path).lstrip("/")
        return file.read_text("utf-8") if file.is_file() else ""
