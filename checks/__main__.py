"""Run every rule over the repository: a sentence per finding, and exit code 1 when there is one."""

import sys
from pathlib import Path
from typing import Final

from checks import addresses, dependencies, habits, money, size
from checks.tree import Rule, Tree

RULES: Final[tuple[Rule, ...]] = (addresses.find, dependencies.find, habits.find, money.find, size.find)


def main(root: Path) -> int:
    tree = Tree(root)
    findings = [finding for rule in RULES for finding in rule(tree)]
    for finding in findings:
        print(finding)
    print(f"{len(tree.files)} files, {len(RULES)} rules, {len(findings)} findings.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent.parent))
