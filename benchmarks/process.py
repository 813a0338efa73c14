"""
How fast `ordermill process` is, stage by stage, beside what the machine could do at best: `make bench`.

    python benchmarks/process.py [--lines 1000000] [--real FILE --map MAP] [--only sqlite|postgres] [--repeat 3]
    python benchmarks/process.py --memory

Only ratios within one run mean anything; they are made of medians. docs/benchmarks.md says what is compared with what.
"""

# Below the guard, since every child reads this file and what it imports would count as the memory of `process`.
if __name__ == "__main__":
    import sys

    sys.path[0] += "/measuring"  # and not this directory, whose http.py would stand before Python's own package
    from suite import main

    main()
