"""Channels by name: the first order of a channel brings it into being."""

from datetime import datetime

from sqlalchemy import Connection, select

from ordermill.storage.statements import insert_ignoring
from ordermill.storage.tables import ChannelRow


def channel_id(connection: Connection, name: str, *, at: datetime) -> int:
    """Return the channel's id; a channel that is not there yet is created by this transaction."""
    query = select(ChannelRow.id).where(ChannelRow.name == name)
    found = connection.execute(query).scalar()
    if found is None:
        # Somebody else may create it at this moment; either way it is there afterwards.
        connection.execute(insert_ignoring(connection, ChannelRow).values(name=name, created_at=at))
        found = connection.execute(query).scalar_one()
    return found
