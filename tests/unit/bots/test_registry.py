"""The bots of a server, by name."""

import pytest

from chatserver.bots.registry import BotRegistry, UnknownDefaultBot
from chatserver.testing import ScriptedBot

BOTS = [ScriptedBot("ada"), ScriptedBot("bob"), ScriptedBot("cleo")]


def test_the_default_bot_is_the_first_that_people_are_shown() -> None:
    assert [info.name for info in BotRegistry(BOTS, "bob").all()] == ["bob", "ada", "cleo"]
    assert [info.name for info in BotRegistry(BOTS, None).all()] == ["ada", "bob", "cleo"]


def test_a_default_that_is_no_bot_is_refused() -> None:
    with pytest.raises(UnknownDefaultBot):
        BotRegistry(BOTS, "nobody")
