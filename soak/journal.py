"""Records every answer, in the order of arrival, and every violation."""

import json
import threading
import time


class Journal:
    def __init__(self, path: str):
        self.began = time.monotonic()
        self.entries: list[dict] = []
        self.violations: list[str] = []
        self.secrets: set[str] = set()
        # Sessions whose sign-out was answered, with their last access token.
        self.ended: dict[str, str] = {}
        # Sessions whose sign-out was answered with 503.
        self.may_have_ended: set[str] = set()
        # Tokens for an app, with the keys that they are bound to, by session.
        self.app_tokens: dict[str, tuple] = {}
        self._file = open(path, "w", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, **entry) -> None:
        with self._lock:
            entry = {"at": round(time.monotonic() - self.began, 3)} | entry
            self.entries.append(entry)
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def violation(self, text: str) -> None:
        self.note(what="violation", text=text)
        self.violations.append(text)

    def count(self, what: str, answer: str) -> int:
        return sum(entry["what"] == what and entry.get("answer", "").startswith(answer) for entry in self.entries)

    def watch(self, method: str, path: str, answer) -> None:
        """Checks the invariants of every answer."""
        told = answer.headers.get("Retry-After")
        if answer.status >= 500 and not (answer.status == 503 and told):
            self.violation(f"{method} {path}: {answer.status}, Retry-After {told}")
        if answer.status == 429 and not told:
            self.violation(f"{method} {path}: 429 without Retry-After")
