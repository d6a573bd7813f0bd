"""What a session can be told to be."""

from typing import TypedDict


class NewSettings(TypedDict, total=False):
    """What is not given is the server's default."""

    bot: str | None
    """Who answers; None: nobody."""
    visibility: str
    """"private" (by invitation), "link" (whoever knows the id) or "public" (listed)."""
    reply_policy: str
    """"always", "mention" or "off": what the session's own bot answers."""
    bot_turns: int
    """How often bots may answer bots before a person says something again."""


class ChangedSettings(NewSettings, total=False):
    """What is not given stays."""

    title: str
