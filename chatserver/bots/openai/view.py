"""What the model of one bot is shown, by the bot's declaration and what its budget has learned."""

from collections.abc import Sequence

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.budget import Budget
from chatserver.bots.openai.window import fitting
from chatserver.chat.models import Event
from chatserver.chat.ports import Memory, ReplyContext

KEPT_SHARE = 0.75
"""Of a budget: what a fold leaves to be shown. The rest fills up until there is a batch to fold."""


class View:
    def __init__(self, declaration: ModelBotDeclaration, budget: Budget) -> None:
        self._declared = declaration
        self._budget = budget

    def memory(self, context: ReplyContext) -> str | None:
        """What the model is shown of the bot's memory: all or nothing."""
        remembered = _before_prompt(context) if self._declared.remember else None
        return None if remembered is None else remembered.text

    def most(self, context: ReplyContext) -> int:
        """The messages that are shown where the budget allows it.

        Those beyond the window stay until they are remembered, so that nothing falls between.
        """
        talked = context.messages
        window = self._declared.window
        if self._declared.remember:
            remembered = _before_prompt(context)
            folded = 0 if remembered is None else remembered.through_seq
            unfolded = sum(event.seq > folded for event in talked)
            window = max(window, min(unfolded, self._declared.most_shown))
        return min(window, len(talked))

    def choose(
        self, events: Sequence[Event], most: int, memory: str | None
    ) -> tuple[int, str | None]:
        """How many messages to send, and the memory unless that leaves no room for the prompt.

        The prompt is sent whatever the budget: somebody waits for its answer.
        """
        count = self._fitting(events, most, memory, self._budget.room)
        if count == 0 and memory is not None:
            return self.choose(events, most, None)
        return max(1, count), memory

    def kept_from(self, context: ReplyContext) -> int:
        """The `seq` of the first message that a fold leaves to be shown."""
        events, room = context.messages, KEPT_SHARE * self._budget.room
        count = self._fitting(events, self._declared.window, self.memory(context), room)
        # An answer that was asked for again stands before its number.
        return min(event.seq for event in events[-max(1, count) :])

    def _fitting(self, events: Sequence[Event], most: int, memory: str | None, room: float) -> int:
        declared = self._declared
        return fitting(declared.prompt, events, declared.name, most=most, room=room, memory=memory)


def _before_prompt(context: ReplyContext) -> Memory | None:
    """The memory, unless it knows what came after the prompt: an old one may be asked again."""
    memory = context.memory
    return None if memory is None or memory.through_seq >= context.prompt.seq else memory
