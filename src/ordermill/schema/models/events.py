"""The ledger: what happened, append-only, and the outbox that webhooks are delivered from."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Event(models.Model):
    """
    A fact. `data` holds no personal data.

    The order is named and not referred to: its events outlive an order that an undo removes.
    Triggers refuse to change or delete a row (migration 0002).
    """

    id = models.UUIDField(primary_key=True)
    type = models.CharField(max_length=64)
    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
    order_id = models.UUIDField(null=True)
    user_id = models.BigIntegerField(null=True)
    import_id = models.UUIDField(null=True)
    sequence = models.IntegerField(null=True)
    data = models.JSONField()

    class Meta:
        db_table = "events"
        # Few have one: only those that are about an account. A person's export asks for theirs.
        indexes: ClassVar = [models.Index(fields=["user_id"], condition=Q(user_id__isnull=False), name="events_user")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["order_id", "sequence"], name="events_order_sequence")]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
