"""What keeps a file from being imported. Nothing is stored then."""


class BadArchive(Exception):
    """A line is not what it has to be."""

    def __init__(self, line: int, reason: str, through: int | None = None) -> None:
        lines = f"line {line}" if through in (None, line) else f"lines {line} to {through}"
        super().__init__(f"{lines}: {reason}")
        self.line = line
        """Counted from 1."""


class SessionExists(Exception):
    """There is, or was, a session of this id. Its `deleted` says which."""

    def __init__(self, session_id: str, *, deleted: bool) -> None:
        super().__init__(session_id)
        self.deleted = deleted


class OtherParticipant(Exception):
    """Somebody else has the id of one of the session's people here. Says whose."""
