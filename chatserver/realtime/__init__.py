"""Socket.IO: the server and its rooms, the ordered feed, presence, and the `/chat` namespace."""
