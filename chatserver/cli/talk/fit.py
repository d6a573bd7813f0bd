"""What fits into the columns of a terminal, where some characters take two of them. Pure."""

from prompt_toolkit.utils import get_cwidth

from chatserver.chat.models import SessionOverview
from chatserver.cli.talk import view

LEAST_TITLE = 12
LEAST_WIDTH = 20


def overview(position: int, session: SessionOverview, *, here: bool, width: int) -> str:
    """One line of a list of sessions; `*` before the one that is shown, `public` for others'."""
    new = f" [{'99+' if session.unread > 99 else session.unread} new]" if session.unread else ""
    others = " (public)" if session.role is None else ""
    before, after = f"{'*' if here else ' '}{position:3}  ", f"{new}{others}  {session.id}"
    room = max(LEAST_TITLE, width - get_cwidth(before + after) - 1)
    return f"{before}{clipped(view.line(session.title) or 'Untitled', room)}{after}"


def clipped(text: str, width: int) -> str:
    """The begin of a line that fits into so many columns."""
    if _fitting(text, width) == len(text):
        return text
    return f"{text[: _fitting(text, width - 1)]}…"


def folded(text: str, width: int, indent: str = view.INDENT) -> str:
    """The text in lines that fit, between words where there are any; `indent` before what goes on.

    Left to the terminal, what goes on would begin at its edge, as only new messages shall.
    """
    width = max(LEAST_WIDTH, width)
    lines = list[str]()
    for line in text.expandtabs(4).split("\n"):
        while (fits := _fitting(line, width)) < len(line):
            blank = line.rfind(" ", len(indent) + 1, fits + 1)
            at = blank if blank > fits // 2 else fits
            lines.append(line[:at].rstrip())
            line = indent + line[at:].lstrip()
        lines.append(line)
    return "\n".join(lines)


def _fitting(line: str, width: int) -> int:
    """How many characters of it fit."""
    for position, char in enumerate(line):
        width -= get_cwidth(char)
        if width < 0:
            return position
    return len(line)


def tail(text: str, lines: int, width: int) -> str:
    """The end of a text that fits into so many lines of a terminal of that width, at least 1."""
    width = max(1, width)
    shown = text[-lines * width :].split("\n")
    room, kept = lines, list[str]()
    for one in reversed(shown):
        # A wide character that does not fit at the end of a line leaves a column free.
        wide = get_cwidth(one) > len(one)
        room -= max(1, -(-get_cwidth(one) // max(1, width - 1 if wide else width)))
        if room < 0:
            break
        kept.append(one)
    return "\n".join(reversed(kept)) or cut(shown[-1], lines, width)


def cut(text: str, lines: int, width: int) -> str:
    """The end of one line that is longer than all the room."""
    return text[len(text) - _fitting(text[::-1], lines * (width - 1)) :]
