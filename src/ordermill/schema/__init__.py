"""
THE SCHEMA: Django models own every table and its migrations; SQLAlchemy reads it from them.

Not here: reading and writing (storage/) and the back office's screens. Import `ordermill.schema.models`
only after `ordermill.schema.setup.configure()`.
"""
