"""The sessions of somebody on a terminal: which there are, and which is shown."""

from collections.abc import Callable

from chatserver.chat.models import SessionOverview
from chatserver.cli.talk import fit, view
from chatserver.cli.talk.entering import enter
from chatserver.cli.talk.place import NotAPlace, Place
from chatserver.cli.talk.room import Room, Show
from chatserver.client import ChatClient, ChatSession

LISTED = 20
NAMED = 3
"""Other sessions whose news are announced by name."""


class Rooms:
    """One is shown; those that were shown before go on, and what comes there is counted."""

    def __init__(
        self,
        client: ChatClient,
        place: Place,
        show: Show,
        redraw: Callable[[], None],
        width: Callable[[], int],
    ) -> None:
        self.shown: Room | None = None
        self._client = client
        self._place = place
        self._show = show
        self._redraw = redraw
        self.width = width
        self._listed: list[SessionOverview] = []
        self._left: dict[str, ChatSession] = {}

    @property
    def new(self) -> Place:
        """Where a new session is made."""
        return Place(self._place.url)

    async def list(self) -> int:
        """Shows one's own sessions and the public ones, the newest activity first; how many."""
        mine = await self._client.list_sessions(limit=LISTED)
        public = await self._client.list_sessions(limit=LISTED, scope="public")
        known = {session.id for session in mine.sessions}
        others = [session for session in public.sessions if session.id not in known]
        self._listed = [*mine.sessions, *others]
        here = self.shown.session.id if self.shown else None
        for position, session in enumerate(self._listed, start=1):
            self._show(fit.overview(position, session, here=session.id == here, width=self.width()))
        if not self._listed:
            self._show("* there are no sessions yet")
        elif mine.next is not None or public.next is not None:
            self._show("* there are more, which were quiet for longer: join them by id or link")
        return len(self._listed)

    def find(self, text: str) -> Place:
        """By a number of the list, an id or a link; an invite may follow. Raises `NotAPlace`."""
        which, _, invite = text.partition(" ")
        if which.isascii() and which.isdigit() and 0 < int(which[:9]) <= len(self._listed):
            return Place(self._place.url, self._listed[int(which) - 1].id, invite.strip() or None)
        place = Place.parse(which, self._place.url, invite.strip() or None)
        if place.session_id is None:
            raise NotAPlace("/join SESSION: a number of /rooms, an id or a link")
        if place.url != self._place.url:
            raise NotAPlace(f"that is on another server: chatserver talk '{view.line(which)}'")
        return place

    async def enter(self, place: Place, *, title: str = "", bot: str | None = None) -> None:
        """Shows that session, or a new one where the place names none."""
        session = await enter(self._client, place, title=title, bot=bot)
        await self.put_away()
        self._left.pop(session.id, None)
        title = view.line(session.info.title) or "Untitled"
        self._show(f"* {title}  {session.id}  (/help for help)")
        self.shown = Room(session, self._show, self._redraw, self.width)
        self.shown.start()

    async def put_away(self) -> None:
        """Shows none; one stays a member, and what comes waits."""
        if self.shown is not None:
            await self.shown.stop()
            self._left[self.shown.session.id] = self.shown.session
            self.shown = None

    async def leave(self) -> None:
        """Stops being a member of the one that is shown."""
        if self.shown is not None:
            session = self.shown.session
            await session.leave()
            await self.put_away()
            self._left.pop(session.id, None)

    async def invite(self) -> None:
        if self.shown is not None:
            session = self.shown.session
            made = await session.create_invite()
            link = Place(self._place.url, session.id, made.invite).link()
            self._show(f"* until {made.expires_at.astimezone():%Y-%m-%d %H:%M}: {link}")

    def news(self) -> str:
        """What waits in the sessions that were left; empty where nothing does."""
        waiting = [session for session in self._left.values() if session.waiting]
        if not waiting:
            return ""
        titles = [
            f"{fit.clipped(view.line(each.info.title) or 'Untitled', 24)} {each.waiting}"
            for each in waiting[:NAMED]
        ]
        more = f" and {len(waiting) - NAMED} more" if len(waiting) > NAMED else ""
        return f"[new in {', '.join(titles)}{more}]"
