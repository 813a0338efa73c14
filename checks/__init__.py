"""
The project's own rules, those that no linter knows: `python -m checks`, part of `make check`.

Each module here holds one rule as a function `find(tree)` that yields a sentence for everything
that breaks it. A line that must break a rule says why: `# allow float: seconds, not money`.
They use the standard library only and import nothing of the product. That what exists is also
documented is asked by tests/doors/test_documented.py, which can look at the running product.
"""
