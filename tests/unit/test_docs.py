"""What the documents say is what the code does."""

import re
import sys
from pathlib import Path

import pytest

from chatserver.bot_settings import BUILT_IN
from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.file import read_bots_file
from chatserver.chat import errors
from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.chat.models import EventType
from chatserver.chat.service import ChatService
from chatserver.gateways.contracts import typescript
from chatserver.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import derive  # noqa: E402


@pytest.mark.parametrize("document", derive.PAGES, ids=lambda path: path.name)
def test_every_derived_table_is_up_to_date(document: Path) -> None:
    text = document.read_text("utf-8")
    assert derive.SECTION.search(text)
    assert derive.derived(text) == text, "run python docs/derive.py"


def test_the_web_clients_declarations_are_up_to_date() -> None:
    text = derive.DECLARATIONS.read_text("utf-8")
    assert text == typescript.declarations(), "run python docs/derive.py"


def test_every_error_stands_in_the_tree_under_its_name() -> None:
    listed = {code: name for name, code, _ in errors.TREE_LINE.findall(errors.__doc__ or "")}
    assert listed == {code: error.__name__ for code, error in errors.CODES.items()}


def test_every_client_event_has_a_use_case_and_every_durable_type_its_data() -> None:
    for name in COMMANDS:
        assert callable(getattr(ChatService, name)), name
    assert set(DURABLE) == set(EventType)
    assert not set(DURABLE) & set(SIGNALS)


def test_every_setting_is_explained() -> None:
    for name, info in Settings.model_fields.items():
        assert info.description, name


def test_every_key_of_a_bot_is_explained() -> None:
    for name, info in ModelBotDeclaration.model_fields.items():
        assert info.description, name


@pytest.mark.parametrize("document", ["README.md", "docs/bots.md"])
def test_the_bots_files_that_are_shown_can_be_used(document: str, tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    path = tmp_path / "bots.toml"
    path.write_text(shown)
    assert read_bots_file(path, BUILT_IN)


@pytest.mark.parametrize("document", [*derive.PAGES, ROOT / "docs" / "architecture.md"], ids=str)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


def test_every_line_of_the_five_systems_has_a_test_that_exists() -> None:
    page = (derive.ROOT / "docs" / "systems.md").read_text("utf-8")
    lines = re.findall(r"^\| (?!behaviour|---).*\|$", page, re.MULTILINE)
    tests = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)` \|$", page, re.MULTILINE)
    assert len(tests) == len(lines)
    for file, name in tests:
        assert f"def {name}(" in (derive.ROOT / file).read_text("utf-8"), f"{file}::{name}"
    named = {name for file, name in tests if file.startswith("tests/systems/")}
    files = sorted((derive.ROOT / "tests" / "systems").glob("test_*.py"))
    there = [name for f in files for name in re.findall(r"def (test_\w+)\(", f.read_text("utf-8"))]
    assert named == set(there)
