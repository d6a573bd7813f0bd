"""Who may do what. Pure functions over rows read in the caller's own transaction."""

from chatserver.chat.errors import Forbidden, NotFound, NotMember
from chatserver.chat.models import (
    Event,
    EventType,
    Participant,
    ParticipantKind,
    Role,
    Session,
    Visibility,
)


def require_member(session: Session | None, role: Role | None) -> tuple[Session, Role]:
    """Only members read or write. A private session does not exist for anybody else.

    Raises `NotFound` for an unknown or private session, `NotMember` where joining is free.
    """
    if session is None:
        raise NotFound("no such session")
    if role is None:
        if session.visibility is Visibility.PRIVATE:
            raise NotFound("no such session")
        raise NotMember("join the session first")
    return session, role


def role_for_joining(session: Session, who: Participant, *, invited: bool) -> Role:
    """The role with which somebody who is not a member may become one. Raises `NotFound`."""
    if who.kind is ParticipantKind.OPERATOR:
        return Role.OPERATOR
    if session.visibility is Visibility.PRIVATE and not invited:
        raise NotFound("no such session")
    return Role.MEMBER


def require_owner(role: Role) -> None:
    if role is not Role.OWNER:
        raise Forbidden("only the session's owner may do this")


def require_settings_right(role: Role, changed: set[str]) -> None:
    """The owner sets everything; an operator decides whether and which bot answers."""
    if role is Role.OWNER:
        return
    if role is Role.OPERATOR and changed <= {"reply_policy", "bot"}:
        return
    raise Forbidden("only the session's owner may change this")


def require_own_message(event: Event | None, who: Participant) -> Event:
    """Raises `NotFound` where `event` is no message, `Forbidden` where it is another's."""
    message = require_message(event)
    if message.sender.id != who.id:
        raise Forbidden("only the sender may edit a message")
    return message


def require_erasable(event: Event | None, who: Participant, role: Role) -> Event:
    """One's own messages and, in one's own session, those of others."""
    message = require_message(event)
    if message.sender.id != who.id and role is not Role.OWNER:
        raise Forbidden("only the sender or the session's owner may delete a message")
    return message


def require_message(event: Event | None) -> Event:
    if event is None or event.type is not EventType.MESSAGE_CREATED:
        raise NotFound("no such message")
    return event
