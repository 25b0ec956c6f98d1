from tests.communications.conftest import at_noon, smtp, twilio  # noqa: F401 - Fixtures.
