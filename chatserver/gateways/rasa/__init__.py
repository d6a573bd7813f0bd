"""The namespace `/` for web widgets that were made for Rasa: `session_request`, `user_uttered`, and

`session_confirm` and `bot_uttered` back. A conversation is the own session of a guest's token, and
that token is its session id: unguessable, and a secret of the widget's page.
"""

from chatserver.chat.ports import Clock, Visitors
from chatserver.chat.rates import RateLimiter
from chatserver.chat.service import ChatService
from chatserver.gateways.rasa.namespace import RasaNamespace, Sockets
from chatserver.gateways.rasa.widget import Door
from chatserver.observability.metrics import Metrics


def setup(
    sockets: Sockets,
    *,
    chat: ChatService,
    visitors: Visitors,
    clock: Clock,
    metrics: Metrics,
    token_rate: RateLimiter,
    events_per_second: float,
    events_burst: float,
) -> None:
    """Adds the namespace. `token_rate` counts new conversations by address."""
    door = Door(chat, visitors, clock, token_rate, events_per_second, events_burst)
    sockets.register_namespace(RasaNamespace(sockets, door, metrics))
