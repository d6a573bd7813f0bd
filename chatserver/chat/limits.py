"""The bounds the domain keeps. Each has a setting of the same name and a named error."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    text_chars: int = 16_000
    """Longest message, in Unicode code points (`text_too_long`)."""
    sessions_per_participant: int = 200
    """Sessions somebody is a member of (`too_many_sessions`)."""
    members_per_session: int = 1_000
    """Members of one session, bots included (`session_full`)."""
    bots_per_session: int = 8
    """Bots that are members of one session (`too_many_bots`)."""
    invites_per_session: int = 100
    """Invite codes of one session that still work (`too_many_invites`)."""
    queued_replies_per_session: int = 100
    """Replies of one session that wait or run; a prompt beyond gets `busy`."""
    queued_replies_per_participant: int = 200
    """Replies that somebody waits for, in all sessions; a prompt beyond gets `busy`."""
    queued_replies: int = 10_000
    """Replies of all sessions that wait or run; a prompt beyond gets `busy`."""
    running_replies_per_participant: int = 20
    """Replies that run at once for one asker; more wait, without an error. 0: no limit."""
    replies_per_participant_day: int = 0
    """Replies somebody asks for in a day (`quota_exceeded`). 0: no limit."""
    tokens_per_participant_day: int = 0
    """Tokens that the replies somebody asked for in a day may use, prompts included, as the models'
    endpoints count them (`quota_exceeded`). Looked at before a reply, so the last of a day may go
    beyond. 0: no limit."""
    token_seconds: int = 3_600
    """How long a token lives unless it is renewed (`token_expired`)."""

    def wire(self) -> dict[str, int]:
        return asdict(self)
