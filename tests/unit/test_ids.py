"""Identifiers that are drawn: of sessions, participants, invites and replies."""

import re

from chatserver.chat.use_cases import new_id


def test_none_reads_like_an_option_of_a_command() -> None:
    drawn = [new_id() for _ in range(5_000)]
    assert not any(each.startswith("-") for each in drawn)
    assert all(re.fullmatch(r"[\w-]{22}", each, re.ASCII) for each in drawn)
    assert len(set(drawn)) == len(drawn)
