"""An authenticator app as a test has it."""

from django_otp.oath import TOTP

from agents import second_factor
from agents.models import Agent

#: Seconds of one code.
STEP = 30


class App:
    """An authenticator app with one account."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key or second_factor.new_key()

    def code(self, *, steps: int = 0) -> str:
        """The code that it shows now, or some steps from now."""
        totp = TOTP(bytes.fromhex(self.key))
        return f"{self.at(totp, steps):06d}"

    @staticmethod
    def at(totp: TOTP, steps: int) -> int:
        totp.drift = steps
        return int(totp.token())

    def wrong(self) -> str:
        """A code that it shows neither now nor a step before or after."""
        near = {self.code(steps=steps) for steps in range(-2, 3)}
        return next(code for code in (f"{number:06d}" for number in range(6)) if code not in near)


def equip(agent: Agent) -> tuple[App, list[str]]:
    """Set up a second factor; return the app and the recovery codes. The code of the step before was used for it."""
    app = App()
    return app, second_factor.set_up(agent, key=app.key, code=app.code(steps=-1), replace=True)
