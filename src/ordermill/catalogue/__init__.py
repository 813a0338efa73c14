"""
What can be bought, how much of it there is, and what makes it cheaper.

    model                products, discounts, and what is refused of them
    drafts               what staff send, and what is answered
    changes              drafts become products and discounts; pure
    products, discounts  the use cases
    sheets, intake       files of them, out and in
    ports                what is asked of storage

Not here: what an order costs and what it takes from the shelf (orders).
"""
