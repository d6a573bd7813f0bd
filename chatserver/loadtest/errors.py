"""What keeps a load from being measured, and which setting of the server helps."""

HELP = {
    "rate_limited": "raise CHATSERVER_EVENTS_PER_SECOND and CHATSERVER_EVENTS_BURST on the server, "
    "or use more connections or a lower rate",
    "too_many_tokens": "raise CHATSERVER_TOKENS_PER_MINUTE on the server, wait a minute, or let "
    "connections share --participants",
    "too_many_connections": "raise CHATSERVER_CONNECTIONS_PER_ADDRESS and CHATSERVER_CONNECTIONS "
    "on the server, or use fewer connections",
    "too_many_sessions": "raise CHATSERVER_ROOMS_PER_CONNECTION and "
    "CHATSERVER_SESSIONS_PER_PARTICIPANT on the server, or use fewer rooms",
    "session_full": "raise CHATSERVER_MEMBERS_PER_SESSION on the server, or use smaller rooms",
    "text_too_long": "raise CHATSERVER_TEXT_CHARS on the server, or lower --size",
    "payload_too_large": "raise CHATSERVER_FRAME_BYTES on the server, or lower --size",
    "connection_lost": "the server closed connections; its log and metrics say why",
}


class LoadError(Exception):
    """The load cannot be set up; `code` is the server's, or one of ours, and keys `HELP`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def help_for(code: str) -> str:
    """What an operator can do about errors of this code; empty where nothing is known to help."""
    return HELP.get(code, "")
