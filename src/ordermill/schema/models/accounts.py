"""Accounts: one table for customers and staff, claimed or not."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from ordermill.schema.managers import UserManager


class User(AbstractBaseUser):
    """
    An account. Without a password it is unclaimed: it came with an order.

    `email_key` is the form that is unique (`kit.text.email_key`), `email` the one that is shown.
    """

    password = models.CharField(max_length=255, null=True)  # type: ignore[assignment]  # noqa: DJ001  # null says unclaimed
    last_login = None
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=762)  # folding may make three characters of one
    name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    email_verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    USERNAME_FIELD = "email_key"
    REQUIRED_FIELDS: ClassVar = ["email", "name"]

    objects = UserManager()

    class Meta:
        db_table = "users"
        constraints: ClassVar = [
            # A constraint and not `unique=True`, for which Django adds a second index on PostgreSQL.
            models.UniqueConstraint(fields=["email_key"], name="users_email_key"),
        ]

    def __str__(self) -> str:
        return self.email
