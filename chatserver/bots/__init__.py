"""Those who answer: adapters behind `chat.ports.Bot`, and the registry of a server's bots."""
