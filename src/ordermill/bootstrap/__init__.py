"""
The only package that knows every part: Settings in, `Services` out.

    opening    an order book is made ready, opened and closed
    services   all that a door may ask for: people, shop and files together
    parts      what these stand on

Doors import this and the features; they never reach storage, caches or connectors by themselves.
"""

from ordermill.bootstrap.database import connect
from ordermill.bootstrap.files import shelf_of
from ordermill.bootstrap.opening import examine, open_for_comparing, open_services, prepare
from ordermill.bootstrap.services import Services

__all__ = ["Services", "connect", "examine", "open_for_comparing", "open_services", "prepare", "shelf_of"]
