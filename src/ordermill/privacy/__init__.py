"""A person's data: taken out as one document, and erased for good. Not here: accounts themselves."""
