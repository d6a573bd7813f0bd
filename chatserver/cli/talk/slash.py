"""What a line that begins with a slash asks for. Pure."""

COMMANDS = {
    "help": "this list",
    "rooms": "list your sessions and the public ones",
    "join": "SESSION [INVITE]: go to a session, by its number in the list, its id or a link",
    "new": "[TITLE]: a new session",
    "search": "WORDS: find messages that have all the words; without words, go on further back",
    "history": "older messages",
    "stop": "stop the reply; Ctrl-C does that too",
    "retry": "ask the bot again",
    "invite": "a link with which others may join",
    "leave": "leave the session for good",
    "quit": "end; you stay a member",
}

KEYS = {
    "Alt-Enter": "a new line (or Esc, Enter); what you paste stays one message",
    "Ctrl-C": "stop the reply; else clear what you typed; else end",
    "Ctrl-D": "end",
    "//...": "a message that begins with a slash",
}

COLUMN = 12


def help_lines() -> list[str]:
    """What there is, one to a line; explanations begin at `COLUMN`."""
    typed = {f"/{name}": what for name, what in COMMANDS.items()} | KEYS
    return [f"  {name:{COLUMN - 3}} {what}" for name, what in typed.items()]


def parse(text: str) -> tuple[str, str] | None:
    """The command and what follows it; None for a message, as are texts of several lines.

    `//` begins a message with a slash.
    """
    if not text.startswith("/") or text.startswith("//") or "\n" in text:
        return None
    name, _, argument = text[1:].partition(" ")
    return name.lower(), argument.strip()


def unescaped(text: str) -> str:
    """The message that a line is."""
    return text[1:] if text.startswith("//") else text
