"""An SMTP server that fails at one stage of a mail: it hangs up, stays silent, or answers with a reply of its own."""

import socket
import socketserver
import threading
from types import TracebackType
from typing import Any, Self

#: In the order of a session; ``text`` is amid the mail, ``end`` after its final dot.
STAGES = ("greeting", "ehlo", "mail", "rcpt", "data", "text", "end")


class _Session(socketserver.StreamRequestHandler):
    server: "FailingSmtp"

    def handle(self) -> None:
        if not self.reach("greeting", "220 here"):
            return
        while line := self.rfile.readline():
            word = line[:4].decode().lower()
            if word == "quit":
                return
            reply = self.reach(word, "354 go on" if word == "data" else "250 fine")
            if not reply or (reply.startswith("354") and not self.take_mail()):
                return

    def take_mail(self) -> str:
        mail = self.rfile.readline()
        if self.server.stage == "text" and not self.reach("text", ""):
            return ""
        while not mail.endswith(b"\r\n.\r\n"):
            mail += self.rfile.readline()
        self.server.mails.append(mail)
        return self.reach("end", "250 taken")

    def reach(self, stage: str, reply: str) -> str:
        """Answer, or fail if it is the stage to do so; return the reply, or nothing at the end of the session."""
        server = self.server
        if stage == server.stage and server.failures:
            server.failures -= 1
            reply = server.reply or ""
            if not reply:
                server.released.wait(server.silence)
        if reply:
            self.wfile.write(reply.encode() + b"\r\n")
        return "" if reply.startswith("421") else reply


class FailingSmtp(socketserver.ThreadingTCPServer):
    """Fail ``failures`` times at ``stage``; ``mails`` are those that came whole."""

    daemon_threads = True

    def __init__(self, stage: str, *, reply: str | None = None, silence: float = 0, failures: int = 1) -> None:
        assert stage in STAGES
        self.stage, self.reply, self.silence, self.failures = stage, reply, silence, failures
        self.mails: list[bytes] = []
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Session)

    def settings(self) -> dict[str, Any]:
        return {
            "EMAIL_BACKEND": "communications.channels.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": self.server_address[1],
            "EMAIL_TIMEOUT": 0.5 if self.silence else 5,
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Expect that clients go away."""

    def shutdown_request(self, request: Any) -> None:
        if isinstance(request, socket.socket):
            request.close()
