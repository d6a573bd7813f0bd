"""What a line that begins with a slash asks for. Pure."""

COMMANDS = {
    "help": "this list",
    "rooms": "list the sessions",
    "join": "SESSION: go to another session, by its number, its id or a link",
    "new": "[TITLE]: a new session",
    "history": "older messages",
    "stop": "stop the reply",
    "retry": "ask the bot again",
    "invite": "a link with which others may join",
    "leave": "leave the session for good",
    "quit": "end; you stay a member",
}

HELP = "\n".join(f"  /{name:8} {what}" for name, what in COMMANDS.items())


def parse(text: str) -> tuple[str, str] | None:
    """The command and what follows it; None for a message. `//` begins a message with a slash."""
    if not text.startswith("/") or text.startswith("//"):
        return None
    name, _, argument = text[1:].partition(" ")
    return name.lower(), argument.strip()


def unescaped(text: str) -> str:
    """The message that a line is."""
    return text[1:] if text.startswith("//") else text
