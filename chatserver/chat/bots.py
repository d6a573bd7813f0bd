"""Bots as participants: a bot's name is all there is to it."""

from chatserver.chat.models import Participant, ParticipantKind


def bot_participant(name: str) -> Participant:
    return Participant(id=f"bot:{name}", name=name, kind=ParticipantKind.BOT)
