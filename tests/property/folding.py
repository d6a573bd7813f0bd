"""A client's state, folded from a snapshot and the events after it. Deliberately naive."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
SETTINGS = ("title", "visibility", "reply_policy", "bot", "bot_turns")


@dataclass
class Folded:
    """What a member knows of a session."""

    settings: Json = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    last_seq: int = 0
    failed: set[str] = field(default_factory=set)

    def start(self, joined: Json) -> None:
        """From the ack of a join; may be told to a state that already holds older events.

        The session and the members are as of `to_seq`: the events are for the timeline.
        """
        for event in joined["events"]:
            self.event(event)
        assert self.last_seq == joined["to_seq"] == joined["session"]["last_seq"]
        self.settings = {key: joined["session"][key] for key in SETTINGS}
        self.roles = {each["participant"]["id"]: each["role"] for each in joined["members"]}
        self.read = {each["participant"]["id"]: each["read_seq"] for each in joined["members"]}

    def event(self, event: Json) -> None:
        """The next durable event. Anything but the next is a defect of the server."""
        assert event["seq"] == self.last_seq + 1 or not self.last_seq, (self.last_seq, event)
        self.last_seq = event["seq"]
        data = event["data"]
        match event["type"]:
            case "message_created":
                self.messages[event["seq"]] = {"sender": event["sender"]["id"], **data}
            case "message_edited":
                message = self.messages.get(data["seq"])
                if message is not None and "deleted_at" not in message:
                    message |= {"text": data["text"], "edited_at": data["edited_at"]}
            case "message_deleted":
                message = self.messages.get(data["seq"])
                if message is not None:
                    message |= {"text": "", "deleted_at": data["deleted_at"]}
            case "message_kept":
                message = self.messages.get(data["seq"])
                if message is not None:
                    message["kept"] = True
            case "participant_joined":
                self.roles[data["participant"]["id"]] = data["role"]
                self.read[data["participant"]["id"]] = data.get("read_seq", 0)
            case "participant_left":
                self.roles.pop(data["participant"]["id"], None)
                self.read.pop(data["participant"]["id"], None)
                if "new_owner" in data:
                    self.roles[data["new_owner"]] = "owner"
            case "session_updated":
                self.settings = {key: data[key] for key in SETTINGS}
            case "reply_failed":
                self.failed.add(data["reply_id"])

    def read_changed(self, signal: Json) -> None:
        who = signal["participant_id"]
        if who in self.read:
            self.read[who] = max(self.read[who], signal["seq"])
