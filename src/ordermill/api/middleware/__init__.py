"""
What every request goes through, from the outside in; plain ASGI, since a BaseHTTPMiddleware leaks what a client cancels.

    requests   a request gets its id and address; it is logged, measured, given its headers; bugs become a 500
    cors       what web pages of other origins may do
    methods    HEAD is GET without a body, OPTIONS tells the methods of a path
    limits     how long a request may take and how large its body may be
"""
