from tests.communications.conftest import at_noon  # noqa: F401 - A fixture.
