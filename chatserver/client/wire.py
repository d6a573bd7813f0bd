"""Reading what the server said, a newer server's additions included."""

from typing import Any, TypeVar

from chatserver.chat.events import SIGNALS, Signal
from chatserver.chat.models import Event, EventType, Model

M = TypeVar("M", bound=Model)

DURABLE = frozenset(str(kind) for kind in EventType)


def read(model: type[M], value: Any) -> M:
    """Fields that this client does not know are left out."""
    return model.model_validate(value, extra="ignore")


def read_live(name: str, payload: Any) -> Event | Signal | None:
    """A server event; None for one that this client does not know."""
    if name in DURABLE:
        return read(Event, payload)
    if signal := SIGNALS.get(name):
        return read(signal, payload)
    return None
