"""The example programs do against a real server what they say."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from serving import Served, serving

from ordermill.config import DatabaseUrl

STOREFRONT: Final = Path(__file__).resolve().parents[2] / "examples/storefront/storefront.py"

pytestmark = pytest.mark.slow


def storefront(server: Served) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, STOREFRONT, server.url], capture_output=True, text=True, timeout=60, check=False)


class TestStorefront:
    def test_says_how_to_fill_an_empty_shelf(self, tmp_path: Path) -> None:
        with serving(DatabaseUrl(f"sqlite:///{tmp_path / 'shop.db'}")) as server:
            done = storefront(server)
        assert done.returncode == 1
        assert "ordermill products add TEA-1 --name Tea --price 4.50 --stock 20" in done.stderr

    def test_registers_browses_and_orders(self, tmp_path: Path) -> None:
        url = DatabaseUrl(f"sqlite:///{tmp_path / 'shop.db'}")
        with serving(url) as server:
            words = "products add TEA-1 --name Tea --price 4.50 --stock 20 --database"
            subprocess.run([sys.executable, "-m", "ordermill", *words.split(), url.secret_url], check=True, timeout=60)
            done = storefront(server)
            again = storefront(server)
        assert (done.returncode, done.stderr) == (0, "")
        shelf, price, order, orders = done.stdout.splitlines()
        assert shelf.split() == ["TEA-1", "4.50", "EUR", "Tea"]
        assert price == "It will be 4.50"
        found = re.fullmatch(r"Order (\w{8}): 4\.50 EUR, pending, unpaid", order)
        assert found is not None
        assert orders == f"All orders: ['{found[1]}']"
        assert again.stdout.splitlines()[2] != order
