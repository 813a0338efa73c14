"""Who may do what: accounts and their passwords. Not here: how a door asks for them."""
