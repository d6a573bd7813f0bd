"""What the documents say is what the code does."""

import re
import sys
from pathlib import Path

import pytest

from chatserver.chat import errors
from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.chat.models import EventType
from chatserver.chat.service import ChatService
from chatserver.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import derive  # noqa: E402


@pytest.mark.parametrize("document", derive.PAGES, ids=lambda path: path.name)
def test_every_derived_table_is_up_to_date(document: Path) -> None:
    text = document.read_text("utf-8")
    assert derive.SECTION.search(text)
    assert derive.derived(text) == text, "run python docs/derive.py"


def test_every_error_stands_in_the_tree_and_in_the_table() -> None:
    def kinds(parent: type[errors.ChatError]) -> set[str]:
        ours = parent.__module__ == errors.__name__ and "code" in vars(parent)
        own = {parent.code} if ours else set()
        return own.union(*[kinds(child) for child in parent.__subclasses__()])

    listed = [row[0].strip("`") for row in list(derive.error_codes())[1:]]
    assert sorted(listed) == sorted(kinds(errors.ChatError))


def test_every_client_event_has_a_use_case_and_every_durable_type_its_data() -> None:
    for name in COMMANDS:
        assert callable(getattr(ChatService, name)), name
    assert set(DURABLE) == set(EventType)
    assert not set(DURABLE) & set(SIGNALS)


def test_every_setting_is_explained() -> None:
    for name, info in Settings.model_fields.items():
        assert info.description, name


@pytest.mark.parametrize("document", [*derive.PAGES, ROOT / "docs" / "architecture.md"], ids=str)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target
