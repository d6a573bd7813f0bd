"""chatserver: real-time chat with bots over Socket.IO, where nothing acknowledged is ever lost."""

__version__ = "0.1.0"
