"""
Forgetful stores of short texts: memory for one process, Redis for many. Both fit `kit.ports.CacheProtocol`.

Nothing here is a source of truth: a value may be gone at any moment, and one written by a process
that has since died may still be there. So a key names the user and the version of what it holds.
"""
