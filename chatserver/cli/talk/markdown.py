"""Markdown as lines of a terminal. Pure; gives styled text, never control sequences.

Nothing that was said is hidden: HTML, link targets and reference definitions are shown as text.
What the text asks a terminal to do is taken out after parsing too: Markdown has entities
(`&#x202e;`) for what `view.safe` removes before.
"""

import io
import re
from collections import Counter
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.utils import get_cwidth
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from rich.theme import Theme

from chatserver.cli.talk.view import safe

LONGEST = 10_000
"""Characters; a longer text is not worth the time that it takes."""
LEAST_WIDTH = 20
LEAST_COLUMN = 4
ATTRIBUTES = ("bold", "italic", "underline", "strike")
THEME = Theme(
    {
        "markdown.h2": "bold underline",
        "markdown.h3": "bold",
        "markdown.h4": "bold",
        "markdown.block_quote": "italic",
        "markdown.link": "none",
        "markdown.link_url": "underline",
        "markdown.table.border": "none",
        "markdown.table.header": "bold",
        "markdown.item.number": "bold",
    }
)
ENTITY = re.compile(r"&#?\w{1,32};")
INFO = re.compile(r"^[ >\-*]*(?:```+|~~~+)[^\n`]*$", re.MULTILINE)

Line = StyleAndTextTuples


def lines(text: str, width: int) -> list[Line] | None:
    """The lines of a text, none wider than `width` columns (or 20, if those are more).

    None where it is to be shown as it is: too long, or not to be laid out without a loss.
    """
    if len(text) > LONGEST:
        return None
    text, width = safe(text), max(LEAST_WIDTH, width)
    console = Console(
        file=io.StringIO(), width=width, color_system=None, theme=THEME, legacy_windows=False
    )
    message = _Message(text)
    if message.columns * LEAST_COLUMN > width:
        return None
    try:
        segments = list(console.render(message))
    except Exception:  # a message is shown, whatever defect the renderer has
        return None
    laid_out = [_line(each) for each in Segment.split_lines(segments)]
    while laid_out and not laid_out[-1]:
        laid_out.pop()
    while laid_out and not laid_out[0]:
        laid_out.pop(0)
    return laid_out if _complete(text, laid_out) and _fits(laid_out, width) else None


def _complete(text: str, laid_out: list[Line]) -> bool:
    """Whether every letter is still there: renderers cut what is nested too deep or too wide."""
    said = Counter(filter(str.isalpha, INFO.sub("", ENTITY.sub("", text))))
    shown = Counter(char for line in laid_out for part in line for char in part[1])
    return said <= shown


def _fits(laid_out: list[Line], width: int) -> bool:
    """Whether that is so for the terminal, too: of some letters rich thinks they are narrower."""
    return all(sum(get_cwidth(part[1]) for part in line) <= width for line in laid_out)


class _Code(CodeBlock):
    """As it was written, only indented: to be copied, and laid out in no time."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for each in str(self.text).rstrip().split("\n"):
            yield Text("  " + each.expandtabs(4), "markdown.code_block", overflow="fold")


class _Heading(Heading):
    LEVEL_ALIGN: ClassVar = dict.fromkeys(Heading.LEVEL_ALIGN, "left")


class _Message(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "heading_open": _Heading,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False)
        parser = MarkdownIt("commonmark", {"html": False})
        parser.enable(["strikethrough", "table"]).disable("reference")
        self.parsed = parser.parse(text)
        self.columns = sum(token.type == "th_open" for token in self.parsed)
        for token in self.parsed:
            if token.children:
                token.children = [_shown(each) for each in token.children if not _twice(each)]


def _twice(token: Token) -> bool:
    """What would show an address that is its own text a second time."""
    return token.type in ("link_open", "link_close") and token.info == "auto"


def _shown(token: Token) -> Token:
    """A line break is one, as in the browser; an image is its words and its address."""
    if token.type == "softbreak":
        token.type = "hardbreak"
    elif token.type == "image":
        address = token.attrs.get("src", "")
        token.type, token.tag = "text", ""
        token.content, token.children = f"{token.content} ({address})", None
    return token


def _line(segments: list[Segment]) -> Line:
    line: Line = [
        (_style(segment.style), safe(segment.text).replace("\n", ""))
        for segment in segments
        if not segment.control and segment.text
    ]
    # Lines come filled up with blanks.
    while line and not (last := line[-1])[1].rstrip():
        line.pop()
    if line:
        line[-1] = (last[0], last[1].rstrip())
    return line


def _style(style: Style | None) -> str:
    if style is None:
        return ""
    words = [name for name in ATTRIBUTES if getattr(style, name)]
    if style.color is not None and style.color.name.replace("_", "").isalpha():
        words.append("ansi" + style.color.name.replace("_", ""))
    return " ".join(words)
