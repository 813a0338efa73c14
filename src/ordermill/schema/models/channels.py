"""Where orders come from."""

from typing import ClassVar

from django.db import models


class Channel(models.Model):
    """`api`, a kind of file, or a shop; a name says which orders are the same order."""

    name = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "channels"
        constraints: ClassVar = [models.UniqueConstraint(fields=["name"], name="channels_name")]

    def __str__(self) -> str:
        return self.name
