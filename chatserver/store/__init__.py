"""Persistence behind `chat.ports.Store`: one SQLAlchemy Core schema, Alembic migrations, portable

queries by noun, and the measured write path of each database.
"""
