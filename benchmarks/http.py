"""
How fast the HTTP API is beside a plain application and beside one round trip to the database.

    python benchmarks/http.py [--only sqlite|postgres] [--seconds 8] [--orders 20000] [--connections 1,16,64]

Three servers in turn on the same book: Ordermill with everything on, plain/orm.py as the frameworks' own documentation
would write it, and plain/one_trip.py, which does nothing but one statement. Every answer is checked. Only ratios within
one run mean anything.
"""

if __name__ == "__main__":
    import sys

    sys.path[0] += "/measuring"  # and not this directory: this very file would stand before Python's own package `http`
    from http_suite import main

    main()
