"""
What can be bought, how much of it there is, and what makes it cheaper.

    model     products, movements of their stock, discounts
    drafts    what staff send
    service   the use cases
    ports     what is asked of storage

Not here: what an order costs and what it takes from the shelf (orders).
"""
