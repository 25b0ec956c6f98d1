"""Serializers for sign-in."""

from rest_framework import serializers

from ddc.common.api.fields import TextField
from ddc.common.api.serializers import CamelSerializer


class CredentialsSerializer(CamelSerializer):
    username = TextField(max_length=150)
    password = TextField(max_length=1024)
    otp = TextField(
        max_length=50,
        required=False,
        allow_null=True,
        help_text="The code of the authenticator app, or a recovery code. Required for an account with a second factor.",
    )


class RefreshSerializer(CamelSerializer):
    refresh = TextField(max_length=4096)


class PairSerializer(CamelSerializer):
    """Tokens: ``access`` is valid for 15 minutes, ``refresh`` for 12 hours."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class SignedOutSerializer(CamelSerializer):
    message = serializers.CharField(read_only=True)


class MeSerializer(CamelSerializer):
    """The current account with its permissions as ``app_label.codename``."""

    id = serializers.UUIDField(read_only=True)
    username = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    roles = serializers.ListField(child=serializers.CharField(), read_only=True)
    permissions = serializers.ListField(child=serializers.CharField(), read_only=True)
