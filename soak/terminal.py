"""A person who uses the portal with `postern-client`, which is killed at random."""

import os
import random
import subprocess

from journal import Journal


class Terminal:
    def __init__(self, journal: Journal, client: str, origin: str, home: str, name: str, password: str, seed: str):
        self.journal, self.client, self.origin = journal, client, origin
        self.home, self.name, self.password = home, name, password
        self.random = random.Random(seed)
        self.signed_in = False
        os.makedirs(home)

    def step(self) -> None:
        if not self.signed_in:
            return self._sign_in()
        what = self.random.choices(["whoami", "sessions", "keys", "logout"], [6, 4, 2, 1])[0]
        arguments = {"keys": ["keys", "rotate"]}.get(what, [what])
        code, output = self._run(arguments)
        if what == "whoami" and code == 0 and self.name not in output:
            self.journal.violation(f"the client is taken for somebody else: {output}")
        if code == 3 or (what == "logout" and code in (0, "killed")):
            self.signed_in = False
        return None

    def _sign_in(self) -> None:
        arguments = ["login", self.name, "--password-stdin", "--storage", "file", "--no-menu", "--wait", "20"]
        code, _ = self._run([*arguments, "--server", self.origin], self.password + "\n")
        self.signed_in = code == 0

    def _run(self, arguments: list[str], stdin: str = "") -> tuple[int | str, str]:
        environment = {"PATH": os.environ["PATH"], "HOME": self.home, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
        killed = self.random.random() < 0.15
        with subprocess.Popen(
            [self.client, *arguments],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:
            try:
                output, errors = process.communicate(stdin, timeout=self.random.uniform(0.02, 0.6) if killed else 90)
                code = process.returncode
            except subprocess.TimeoutExpired:
                process.kill()
                output, errors = process.communicate()
                code = "killed"
                if not killed:
                    self.journal.violation(f"{arguments} does not end")
        self.journal.note(who="terminal", what=arguments[0], answer=f"exit {code}")
        if code in (1, 2) or "panicked" in errors:
            self.journal.violation(f"{arguments} ends with {code}: {errors.strip()}")
        if self.password in output + errors:
            self.journal.violation(f"{arguments} prints the password")
        return code, output + errors
