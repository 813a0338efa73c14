"""The one Django app that holds all tables."""

from django.apps import AppConfig


class SchemaConfig(AppConfig):
    name = "ordermill.schema"
    label = "ordermill"
    verbose_name = "ordermill"
    default_auto_field = "django.db.models.BigAutoField"
