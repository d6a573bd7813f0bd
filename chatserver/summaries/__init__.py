"""What a session was about: the offline method behind `chat.ports.Summarizer`."""
