"""What cannot be said, known before it is sent."""

from chatserver.chat.errors import TextTooLong
from chatserver.client import ChatClient


def check_text(client: ChatClient, text: str) -> None:
    """Raises `TextTooLong` where the server would.

    A text that does not fit into a frame is not refused there: it ends the connection, and again
    each time that it is repeated.
    """
    longest = client.welcome.limits.get("text_chars") if client.welcome else None
    if longest is not None and len(text) > longest:
        raise TextTooLong(f"a message may have at most {longest} characters", field="text")
