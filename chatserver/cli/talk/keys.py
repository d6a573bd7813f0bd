"""What keys do at the prompt, where that is not what they always do."""

from collections.abc import Callable

from prompt_toolkit.application.current import get_app
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


def bindings(stop: Callable[[], bool]) -> KeyBindings:
    """`stop` stops what a bot is saying, if one does; whether there was anything to stop."""
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=typing)
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    # The terminal makes the second of the first in the moments when something is printed.
    @keys.add("escape", "enter", filter=typing)
    @keys.add("escape", "c-j", filter=typing)
    def break_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    # And a signal of this key.
    @keys.add("<sigint>", filter=typing)
    @keys.add("c-c", filter=typing)
    def interrupt(event: KeyPressEvent) -> None:
        if stop():
            return
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            get_app().exit(exception=KeyboardInterrupt, style="class:aborting")

    return keys
