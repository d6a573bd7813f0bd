"""Which bots a message asks."""

import pytest

from chatserver.chat.addressing import answering, asked_by_name, mentions
from chatserver.chat.models import Participant, ParticipantKind, ReplyPolicy, Session, Visibility
from tests.contract.seeding import ADA, ECHO, NOW

BOTS = ["echo", "echo-2", "Ada Bot", "corpus", "c++"]
OLGA = Participant(id="olga", name="Olga", kind=ParticipantKind.OPERATOR)


def session(policy: ReplyPolicy, bot: str | None = "echo") -> Session:
    return Session(
        id="s",
        title="",
        visibility=Visibility.PRIVATE,
        reply_policy=policy,
        bot=bot,
        created_by="ada",
        created_at=NOW,
        last_seq=0,
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@echo", ["echo"]),
        ("hello @ECHO, how are you?", ["echo"]),
        ("(@echo)", ["echo"]),
        ("@echo's turn. Or @corpus.", ["echo", "corpus"]),
        ("@corpus before @echo, and @corpus again", ["corpus", "echo"]),
        ("@echo @echo-2 @corpus @c++", ["echo", "echo-2", "corpus"]),
        ("@ada bot knows", ["Ada Bot"]),
        ("@c++!", ["c++"]),
        ("größer:@echo", ["echo"]),
        ("echo", []),
        ("@echoes @echo_3 @echo-3 @echo.org @echo/pkg", []),
        ("me@echo you.@echo https://chat.example/@echo", []),
        ("`@echo` and ```\n@corpus\n``` and ``` @echo", []),
        ("a ` alone hides nobody: @echo\n`", ["echo"]),
        ("@nobody", []),
        ("@", []),
    ],
)
def test_a_mention_is_a_name_at_its_boundaries_outside_of_code(text: str, found: list[str]) -> None:
    assert list(mentions(text, BOTS)) == found


def test_letters_that_only_look_alike_mention_without_a_crash() -> None:
    assert mentions("@\u0130da", ["ida"]) in ((), ("ida",))


@pytest.mark.parametrize(
    ("policy", "sender", "text", "asked"),
    [
        ("always", ADA, "hello", ("echo",)),
        ("always", ADA, "hello @corpus", ("corpus",)),
        ("always", OLGA, "hello", ()),
        ("always", OLGA, "hello @corpus", ("corpus",)),
        ("mention", ADA, "hello", ()),
        ("mention", ADA, "@corpus and @echo", ("corpus", "echo")),
        ("off", ADA, "hello @echo", ()),
        ("always", ECHO, "hello @corpus", ()),
    ],
)
def test_the_policy_decides_whether_mentions_are_needed(
    policy: str, sender: Participant, text: str, asked: tuple[str, ...]
) -> None:
    here = session(ReplyPolicy(policy))
    assert answering(here, sender, text, BOTS) == asked


def test_without_a_bot_of_its_own_only_mentions_ask() -> None:
    here = session(ReplyPolicy.ALWAYS, bot=None)
    assert answering(here, ADA, "hello", BOTS) == ()
    assert answering(here, ADA, "hello @echo", BOTS) == ("echo",)


def test_the_bots_need_not_be_known_where_nobody_can_be_mentioned() -> None:
    assert not asked_by_name(session(ReplyPolicy.ALWAYS), ADA, "hello")
    assert not asked_by_name(session(ReplyPolicy.OFF), ADA, "@echo")
    assert not asked_by_name(session(ReplyPolicy.ALWAYS), ECHO, "@echo")
    assert asked_by_name(session(ReplyPolicy.MENTION), ADA, "@echo")
