"""One repository per entity, over any SQL database."""
