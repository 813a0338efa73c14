"""What must be remembered of those who asked to be forgotten, so that no later import brings them back."""

from django.db import models


class ErasedEmail(models.Model):
    """The keyed hash of an address that was erased; the key lies in the book, `BookKey` "erasure"."""

    hash = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "erased_emails"

    def __str__(self) -> str:
        return self.hash


class BookKey(models.Model):
    """
    A random key of this book's own, made when it is first needed.

    Not derived from the setting `ORDERMILL_SECRET_KEY`: that is rotated, and what was hashed with it could not be found again.
    """

    name = models.CharField(max_length=32, primary_key=True)
    value = models.CharField(max_length=64)

    class Meta:
        db_table = "book_keys"

    def __str__(self) -> str:
        return self.name
