"""Steps of people in their tabs, and checks of each answer."""

import random

from browser import Browser, Lost, digest
from journal import Journal


class Tab:
    """One tab of a person's browser."""

    def __init__(self, journal: Journal, browser: Browser, number: int, rights: bool, seed: str, app: str = ""):
        self.journal, self.browser, self.number, self.rights = journal, browser, number, rights
        self.random, self.app = random.Random(seed), app

    def step(self) -> None:
        if self.browser.session is None:
            return self._locked(self._sign_in)
        steps, weights = [self._look, self._refresh, self._rotate_key, self._sign_out], [10, 8, 1, 1]
        if self.rights:
            steps, weights = [*steps, self._invite], [*weights, 6]
        step = self.random.choices(steps, weights)[0]
        return step() if step == self._look else self._locked(step)

    def _locked(self, step) -> None:
        with self.browser.turn:
            step()

    def _note(self, what: str, answer: str, **more) -> None:
        self.journal.note(who=self.browser.name, tab=self.number, what=what, answer=answer, **more)

    def _sign_in(self) -> None:
        if self.browser.session is not None:
            return
        try:
            answer = self.browser.sign_in()
        except Lost:
            return self._note("login", "lost")
        self._note("login", f"{answer.status} {answer.code}", session=self.browser.session)
        if answer.status == 200:
            self.journal.secrets |= set(self.browser.cookies.values())
            self._open_app()
        elif answer.code in ("wrong_credentials", "banned"):
            self.journal.violation(f"{self.browser.name} has the right password and is told: {answer.code}")

    def _open_app(self) -> None:
        """Takes a token for the app, if there is one. It must be worth nothing after the sign-out."""
        if not self.app:
            return
        try:
            answer = self.browser.proved("POST", "/api/tokens", {"audience": self.app})
        except Lost:
            return
        if answer.status == 200:
            token = answer.json()["access_token"]
            self.journal.secrets.add(token)
            self.journal.app_tokens[self.browser.session] = (token, self.browser.key)

    def _look(self) -> None:
        access, session = self.browser.cookie("access"), self.browser.session
        try:
            answer = self.browser.ask("GET", "/api/session", cookies=f"__Host-postern-access={access}")
        except Lost:
            return
        if answer.status == 200 and answer.json().get("username") != self.browser.name:
            self.journal.violation(f"{self.browser.name} is taken for {answer.json().get('username')}")
        self._note("look", str(answer.status), session=session, token=digest(access))

    def _refresh(self) -> None:
        session, shown = self.browser.session, digest(self.browser.cookie("refresh"))
        if session is None:
            return
        try:
            answer = self.browser.proved("POST", "/api/refresh", {})
        except Lost:
            return self._note("refresh", "lost", session=session, shown=shown)
        answered = f"{answer.status} {answer.code}"
        if answer.status != 200:
            self._note("refresh", answered, session=session, shown=shown)
        else:
            self.browser.keep(answer)
            self._note("refresh", answered, session=session, shown=shown, got=digest(self.browser.cookie("refresh")))
            self.journal.secrets |= {self.browser.cookie("access"), self.browser.cookie("refresh")}
        if answer.code in ("session_ended", "no_session"):
            if session not in self.journal.may_have_ended:
                self.journal.violation(f"{self.browser.name} lost session {session}, which nobody ended")
            self._forget()

    def _sign_out(self) -> None:
        session, access = self.browser.session, self.browser.cookie("access")
        if session is None:
            return
        try:
            answer = self.browser.ask("POST", "/api/logout", {})
        except Lost:
            # The server may have ended it, so this session is not used any more.
            self._note("logout", "lost", session=session)
            return self._forget()
        self._note("logout", f"{answer.status} {answer.code}", session=session)
        if answer.status == 204:
            self._forget()
            self.journal.ended[session] = access
        elif answer.status == 503:
            # The connection to the database may have broken after the commit.
            self.journal.may_have_ended.add(session)
        elif answer.status == 401:
            self._refresh_after_401()

    def _refresh_after_401(self) -> None:
        # The access token has expired: refresh and try again later, as the pages do.
        self._refresh()

    def _forget(self) -> None:
        self.browser.session = None
        self.browser.cookies.clear()

    def _rotate_key(self) -> None:
        self._write("rotate_key", "/api/keys/user/rotate", {})

    def _invite(self) -> None:
        note = f"soak-{self.random.getrandbits(48):x}"
        self._write("invite", "/api/admin/invitations", {"role": "user", "note": note, "hours": 24}, note=note)

    def _write(self, what: str, path: str, body: dict, **more) -> None:
        if self.browser.session is None:
            return
        try:
            answer = self.browser.proved("POST", path, body)
        except Lost:
            return self._note(what, "lost", **more)
        self._note(what, f"{answer.status} {answer.code}", **more)
        if answer.status == 401:
            self._refresh()


class PasswordGuesser:
    """An attacker who guesses an account's password, from an address of their own."""

    def __init__(self, journal: Journal, browser: Browser):
        self.journal, self.browser, self.tries = journal, browser, 0

    def step(self) -> None:
        self.tries += 1
        try:
            answer = self.browser.sign_in(f"a wrong guess, number {self.tries}")
        except Lost:
            return self.journal.note(who="guesser", what="guess", answer="lost")
        self.journal.note(who="guesser", what="guess", answer=f"{answer.status} {answer.code}")
        return None


class StolenTokenAttacker:
    """An attacker with copies of access tokens whose sessions were signed out."""

    def __init__(self, journal: Journal, browser: Browser, seed: str):
        self.journal, self.browser, self.random = journal, browser, random.Random(seed)

    def step(self) -> None:
        ended = list(self.journal.ended.items())
        if not ended:
            return
        session, access = self.random.choice(ended[-5:])
        try:
            answer = self.browser.ask("GET", "/api/session", cookies=f"__Host-postern-access={access}")
        except Lost:
            return
        self.journal.note(who="prober", what="probe", answer=str(answer.status), session=session)
        if answer.status == 200:
            self.journal.violation(f"session {session} is taken after its sign-out was answered")
