"""The rules over JSON lines: a document is an order, and gives a row for each of its items."""

from imports_support import PlainDocuments, batch, line, refusal


class TestReadsDocuments:
    def test_one_row_per_item_but_one_line(self) -> None:
        made = batch(line(sku=None, skus="TEA POT"), line(number="1002", sku=None, skus="CUP"), fmt=PlainDocuments())

        assert made.items["sku"].to_list() == ["TEA", "POT", "CUP"]
        assert made.orders["line_count"].to_list() == [1, 1]
        assert made.tally.lines == {"read": 2, "accepted": 2, "rejected": 0}

    def test_a_document_without_items_is_refused(self) -> None:
        """The format gives no row for it; it is not lost all the same."""
        reject = refusal(batch(line(sku=None, skus=""), fmt=PlainDocuments()))

        assert (reject.code, reject.line) == ("no_items", 2)
