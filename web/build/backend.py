"""Build backend (PEP 517, PEP 660): setuptools, plus the web client.

The client's third-party modules come from npm, by lock file, while the package is built; they are
never committed. Where the machine has no usable npm, a Node.js wheel is asked for as a build
requirement, so that `pip install .` needs Python alone.

A wheel and an sdist are built in a temporary copy: nothing is left in the checkout, and no file
of an earlier build can slip in. An editable install puts `chatserver/_web` into the checkout,
with `app` as a link to `web/app`, so that an edit shows at the next reload.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import TypeAlias

from setuptools import build_meta

import nodejs

ConfigSettings: TypeAlias = Mapping[str, str | list[str] | None] | None

SOURCES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "chatserver", "web")
NOT_SOURCES = shutil.ignore_patterns("_web", "node_modules", "__pycache__", "*.py[cod]")


# The hooks. A frontend calls each in a process of its own, in the folder of pyproject.toml.


def get_requires_for_build_wheel(config_settings: ConfigSettings = None) -> list[str]:
    return [] if nodejs.npm_on_path() else _node_requirement()


def get_requires_for_build_editable(config_settings: ConfigSettings = None) -> list[str]:
    return get_requires_for_build_wheel(config_settings)


def get_requires_for_build_sdist(config_settings: ConfigSettings = None) -> list[str]:
    return []


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: ConfigSettings = None
) -> str:
    metadata_directory = str(Path(metadata_directory).absolute())
    with _copy_of_sources():
        return build_meta.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def prepare_metadata_for_build_editable(
    metadata_directory: str, config_settings: ConfigSettings = None
) -> str:
    return prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_sdist(sdist_directory: str, config_settings: ConfigSettings = None) -> str:
    sdist_directory = str(Path(sdist_directory).absolute())
    with _copy_of_sources() as copy:
        # The copy holds what belongs into an sdist and nothing else.
        (copy / "MANIFEST.in").write_text("graft chatserver\ngraft web\n")
        return build_meta.build_sdist(sdist_directory, config_settings)


def build_wheel(
    wheel_directory: str,
    config_settings: ConfigSettings = None,
    metadata_directory: str | None = None,
) -> str:
    wheel_directory = str(Path(wheel_directory).absolute())
    if metadata_directory is not None:
        metadata_directory = str(Path(metadata_directory).absolute())
    built = Path("chatserver", "_web", "vendor").absolute()
    with _copy_of_sources() as copy:
        web, target = copy / "web", copy / "chatserver" / "_web"
        shutil.copytree(web / "app", target / "app")
        if _is_current(built, web):
            shutil.copytree(built, target / "vendor")
        else:
            _build_vendor(web, target / "vendor")
        return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str,
    config_settings: ConfigSettings = None,
    metadata_directory: str | None = None,
) -> str:
    web, target = Path("web").absolute(), Path("chatserver", "_web").absolute()
    target.mkdir(exist_ok=True)
    _link(target / "app", web / "app")
    if not _is_current(target / "vendor", web):
        _build_vendor(web, target / "vendor")
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


# The sources.


@contextlib.contextmanager
def _copy_of_sources() -> Iterator[Path]:
    """Work in a temporary copy of what the package is built from."""
    with tempfile.TemporaryDirectory(prefix="chatserver-build-") as folder:
        copy = Path(folder).resolve()
        for source in map(Path, SOURCES):
            if source.is_dir():
                shutil.copytree(source, copy / source, ignore=NOT_SOURCES)
            elif source.exists():
                shutil.copyfile(source, copy / source)
        with contextlib.chdir(copy):
            yield copy


def _link(link: Path, folder: Path) -> None:
    """Make `link` show `folder`, whatever was there before."""
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    else:
        link.unlink(missing_ok=True)
    try:
        # Relative, so that the checkout can be moved.
        link.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
    except OSError:
        # Windows allows links to some users only. A copy works, but has to be installed again
        # after each edit.
        shutil.copytree(folder, link)


# The third-party modules.


def _build_vendor(web: Path, vendor: Path) -> None:
    """Fill `vendor` with the files that web/vendor.json names, from the packages that npm has."""
    with tempfile.TemporaryDirectory(prefix="chatserver-npm-") as folder:
        project = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            if (web / name).exists():
                shutil.copyfile(web / name, project / name)
        _npm_ci(project)
        fresh = project / "vendor"
        for source, target in _vendored(web).items():
            (fresh / target).parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(project / "node_modules" / source, fresh / target)
            except FileNotFoundError:
                sys.exit(f"web/vendor.json names {source}, but no locked package has that file.")
        (fresh / ".stamp").write_text(_stamp(web))
        if vendor.exists():
            shutil.rmtree(vendor)
        shutil.move(fresh, vendor)


def _is_current(vendor: Path, web: Path) -> bool:
    """Whether `vendor` is whole and made from today's lock file, so that npm need not run."""
    with contextlib.suppress(FileNotFoundError):
        return (vendor / ".stamp").read_text() == _stamp(web) and all(
            (vendor / target).is_file() for target in _vendored(web).values()
        )
    return False


def _stamp(web: Path) -> str:
    recipe = (web / "package-lock.json", web / "vendor.json", Path(__file__))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in recipe)).hexdigest()


def _vendored(web: Path) -> dict[str, str]:
    """Path in node_modules -> path in vendor."""
    files: dict[str, str] = json.loads((web / "vendor.json").read_text())
    return files


def _npm_ci(project: Path) -> None:
    npm = nodejs.npm_on_path() or nodejs.npm_of_wheel()
    if npm is None:
        sys.exit(
            f"The web client needs npm with Node.js {nodejs.FLOOR} or later. Install it or, where"
            f" builds are not isolated: pip install {' '.join(_node_requirement())!r}"
        )
    # No package's own scripts run: only files are taken from them.
    command = [*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        command, cwd=project, env=nodejs.environment(), stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        sys.exit(
            "npm could not fetch the web client's modules; what it said is above.\n"
            "They come from the registry that `npm config get registry` names: see that it can be\n"
            "reached (proxy, certificate: `npm config`) and install again. If npm says that\n"
            "package.json and package-lock.json disagree, run `npm install` in web/ first."
        )


def _node_requirement() -> list[str]:
    config = ConfigParser()
    config.read("setup.cfg")
    return config["options.extras_require"]["node"].split()
