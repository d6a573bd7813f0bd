"""What the programs are made of: `app` (the server) and `worker` put these parts together.

Each part is made in one place, once, and handed what it needs.
"""
