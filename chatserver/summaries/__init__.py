"""What a session was about and what it is called: by a model, or by the words alone."""
