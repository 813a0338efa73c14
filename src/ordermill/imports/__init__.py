"""
A file becomes orders. The stages, in the order a file meets them:

    source      bytes of a plain or gzipped file or standard input, as UTF-8 text
    records     where each record ends and which physical line it starts on; what is malformed
    scan        the first, cheap pass: identity of the file, number of lines, orders that lie apart
    recognise   which format this is, and the names its columns go by here (formats/)
    validate    every rule, on columns; a reason for each line that breaks one
    assemble    lines become orders: merged, discounted, totalled, fingerprinted
    process     the use case: batches into the book through the `ImportStore` port
    rejects     the repairable file of what was refused
    report      what happened, in numbers
    runs        what happened before, asked for afterwards
    undo        all of it taken back

Over HTTP, where the server itself loads no Polars:

    shelf          where uploads lie until they are brought in
    uploads        who brings them in, and when: a process of its own for each (cli/uploaded)
    messages       what such a process tells the server
    undo_requests  undos that go on beside the requests
"""
