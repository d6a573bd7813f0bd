"""Events and findings as styled text for a terminal. Pure."""

from prompt_toolkit.formatted_text import AnyFormattedText, FormattedText, StyleAndTextTuples
from prompt_toolkit.utils import get_cwidth

from chatserver.chat.models import Event, EventType, ParticipantKind
from chatserver.cli.talk import fit, markdown, view
from chatserver.client import spans

MATCH = "bold reverse"
AROUND = 60
"""Characters shown before a match, where its line is long."""


def event(event: Event, width: int) -> AnyFormattedText:
    """What bots say is laid out as Markdown; None for what is not worth a line."""
    bots = event.type is EventType.MESSAGE_CREATED and event.sender.kind is ParticipantKind.BOT
    if bots and not event.data.get("deleted_at"):
        lines = markdown.lines(event.data["text"], width - len(view.INDENT))
        if lines is not None:
            return FormattedText(_under_head(event, lines, width))
    text = view.describe(event)
    return None if text is None else fit.folded(text, width)


def _under_head(event: Event, lines: list[markdown.Line], width: int) -> StyleAndTextTuples:
    """On the line of its head, if there is one line and it fits."""
    head, marks = view.head(event.sender, event.created_at), view.marks(event.data)
    one = "".join(part[1] for part in lines[0])
    if len(lines) == 1 and get_cwidth(f"{head} {one}{marks}") <= width:
        return [("", f"{head} "), *lines[0], ("", marks)]
    painted: StyleAndTextTuples = [("", head + marks)]
    for line in lines:
        painted += [("", f"\n{view.INDENT if line else ''}"), *line]
    return painted


def found(message: Event, words: str, width: int) -> AnyFormattedText:
    """The line of a message where the first of the words stands, with all of them marked in it."""
    text = view.safe(message.data["text"])
    places = spans(words, text) or [(0, 0)]
    begin = text.rfind("\n", 0, places[0][0]) + 1
    end = text.find("\n", begin)
    end = len(text) if end < 0 else end
    first = max(begin, places[0][0] - min(AROUND, width // 3))
    when = message.created_at.astimezone()
    head = f"{message.seq:5}  {when:%Y-%m-%d %H:%M}  {view.line(message.sender.name)}: "
    painted: StyleAndTextTuples = [("", head + ("…" if first > begin else ""))]
    left, at = max(20, width - get_cwidth(head) - 2), first
    for start, stop in [*(p for p in places if p[1] <= end), (end, end)]:
        for style, part in (("", text[at:start]), (MATCH, text[start:stop])):
            shown = fit.clipped(part, left) if left > 0 else ""
            painted.append((style, shown))
            left -= get_cwidth(part)
        at = stop
    return FormattedText([part for part in painted if part[1]])
