"""Runs of `process`: how far each has come, what it counted, what it refused."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ordermill.schema.models.channels import Channel


class Import(models.Model):
    """
    One run over one file.

    `checkpoint` is the number of batches whose transaction has committed; a batch's own transaction
    moves it on, guarded by its old value, so that no batch is loaded twice.
    """

    id = models.UUIDField(primary_key=True)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="imports")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    # How many records the file has, so that whoever watches knows how far it is; null in runs of before this was kept.
    records = models.BigIntegerField(null=True)
    format = models.CharField(max_length=64)
    mapping = models.CharField(max_length=255)
    options_key = models.CharField(max_length=64)
    # A table's header and delimiter, so that its rejects can be written again; null for JSON. Bytes, as in the rejects.
    header = models.BinaryField(null=True)
    delimiter = models.CharField(max_length=1, null=True)  # noqa: DJ001  # null: no table
    state = models.CharField(max_length=12)
    checkpoint = models.IntegerField(default=0)
    tally = models.JSONField()
    actor = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # How far an undo has come and what it has done; null while nobody asked for one.
    undo = models.JSONField(null=True)

    class Meta:
        db_table = "imports"
        constraints: ClassVar = [
            # An interrupted run is found again by what it was reading; a finished one may be run once more.
            models.UniqueConstraint(
                fields=["channel", "sha256", "options_key"], condition=Q(state="running"), name="imports_one_unfinished"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["running", "finished", "undoing", "undone"]), name="imports_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class ImportReject(models.Model):
    """One refused order of a run; `lines` is JSON: its records as [physical line, text]."""

    source_import = models.ForeignKey(Import, models.CASCADE, db_column="import_id", related_name="rejects", db_index=False)
    position = models.IntegerField()
    line = models.IntegerField()
    number = models.TextField(null=True)  # noqa: DJ001  # null: could not be told
    field = models.TextField(null=True)  # noqa: DJ001  # null: the whole record
    value = models.TextField(null=True)  # noqa: DJ001  # null: no value
    code = models.CharField(max_length=64)
    message = models.TextField()
    # Bytes: the text may hold what the databases refuse, such as NUL. Null once its buyer was erased.
    lines = models.BinaryField(null=True)

    class Meta:
        db_table = "import_rejects"
        constraints: ClassVar = [models.UniqueConstraint(fields=["source_import", "position"], name="import_rejects_position")]

    def __str__(self) -> str:
        return self.message
