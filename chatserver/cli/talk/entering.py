"""Coming to a place: the client, and the session in it."""

from collections.abc import Callable

from chatserver.cli.talk.place import Place
from chatserver.client import ChatClient, ChatSession, Status
from chatserver.client.settings import NewSettings

CONNECT_SECONDS = 10.0
"""How long a server that is not there yet is waited for."""


def client_for(
    place: Place, name: str | None, token: str | None, on_status: Callable[[Status], None]
) -> ChatClient:
    """Of a token where there is one, else of a name."""
    who = None if token else name
    return ChatClient(
        place.url,
        name=who,
        token=token or None,
        connect_timeout=CONNECT_SECONDS,
        on_status=on_status,
    )


async def enter(client: ChatClient, place: Place, *, title: str, bot: str | None) -> ChatSession:
    """Joins the place's session, or makes a new one."""
    if place.session_id is not None:
        return await client.join(place.session_id, invite=place.invite)
    settings: NewSettings = {} if bot is None else {"bot": bot or None}
    return await client.create_session(title, **settings)
