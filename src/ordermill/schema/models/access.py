"""How people and programs prove who they are. Of no secret more than a hash is kept: whoever reads the book can use none."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ordermill.schema.models.accounts import User


class Session(models.Model):
    """
    One sign-in, kept alive by refresh tokens of which each is used once; reuse of an old one revokes it.

    `current_hash` is of the token that may be used next, `previous_hash` of the one whose answer may have been lost.
    """

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    current_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64, null=True)  # noqa: DJ001  # null: not refreshed yet
    created_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sessions"

    def __str__(self) -> str:
        return str(self.id)


class ApiKey(models.Model):
    """A program's way in; `secret_hash` is the SHA-256 of what it sends, `created_by` an actor of the ledger."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=12)
    secret_hash = models.CharField(max_length=64)
    created_by = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_keys"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["secret_hash"], name="api_keys_secret_hash"),
            models.CheckConstraint(condition=Q(scope__in=["staff", "storefront", "read"]), name="api_keys_scope_known"),
        ]

    def __str__(self) -> str:
        return self.name


class OneTimeToken(models.Model):
    """A link that was sent: it is gone once it was used. The user is null where it makes the first one."""

    hash = models.CharField(max_length=64, primary_key=True)
    purpose = models.CharField(max_length=16)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "one_time_tokens"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="one_time_tokens_expires_at")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(purpose__in=["verify_email", "reset_password", "first_staff"]), name="one_time_tokens_purpose_known"
            )
        ]

    def __str__(self) -> str:
        return self.purpose


class SignInThrottle(models.Model):
    """
    Attempts that are not forgiven, by a hash of who tried what from where; without any, an address that is known.

    In the database and not in a cache: it must hold for all processes and outlive all of them.
    """

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.IntegerField()
    since = models.DateTimeField()  # when the last attempt was; of counts that leak, from when on the next one drops off
    until = models.DateTimeField()  # when the row may be forgotten

    class Meta:
        db_table = "sign_in_throttles"
        indexes: ClassVar = [models.Index(fields=["until"], name="sign_in_throttles_until")]

    def __str__(self) -> str:
        return f"{self.failures} since {self.since}"


class IdempotencyKey(models.Model):
    """
    What was answered to a request that carried a key, written in the transaction of what it did.

    `principal` is the ledger's actor, `route` the method and path, `fingerprint` the SHA-256 of the validated body.
    """

    pk = models.CompositePrimaryKey("principal", "route", "key")
    principal = models.CharField(max_length=64)
    route = models.CharField(max_length=128)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    answer = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_keys_created_at")]

    def __str__(self) -> str:
        return self.key
