"""What fits into the columns of a terminal, where some characters take two of them. Pure."""

from prompt_toolkit.utils import get_cwidth

from chatserver.chat.models import SessionOverview
from chatserver.cli.talk import view

LEAST_TITLE = 12


def overview(position: int, session: SessionOverview, *, here: bool, width: int) -> str:
    """One line of a list of sessions; `*` before the one that is shown, `public` for others'."""
    new = f" [{'99+' if session.unread > 99 else session.unread} new]" if session.unread else ""
    others = " (public)" if session.role is None else ""
    before, after = f"{'*' if here else ' '}{position:3}  ", f"{new}{others}  {session.id}"
    room = max(LEAST_TITLE, width - get_cwidth(before + after) - 1)
    return f"{before}{clipped(view.line(session.title) or 'Untitled', room)}{after}"


def clipped(text: str, width: int) -> str:
    """The begin of a line that fits into so many columns."""
    if get_cwidth(text) <= width:
        return text
    while text and get_cwidth(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def tail(text: str, lines: int, width: int) -> str:
    """The end of a text that fits into so many lines of a terminal of that width."""
    shown = text[-lines * width :].split("\n")
    room, kept = lines, list[str]()
    for one in reversed(shown):
        # A wide character that does not fit at the end of a line leaves a column free.
        wide = get_cwidth(one) > len(one)
        room -= max(1, -(-get_cwidth(one) // (width - 1 if wide else width)))
        if room < 0:
            break
        kept.append(one)
    return "\n".join(reversed(kept)) or cut(shown[-1], lines, width)


def cut(text: str, lines: int, width: int) -> str:
    """The end of one line that is longer than all the room."""
    while get_cwidth(text) > lines * (width - 1):
        text = text[1:]
    return text
