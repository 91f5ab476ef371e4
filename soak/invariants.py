"""Checks the invariants at the end: compares the journal with the database and the log."""

from database import Database
from journal import Journal

# Number of guesses that are checked before the guesser's address is banned for an hour.
GUESSES = 3


def check(journal: Journal, database: Database, log: str) -> None:
    _sessions(journal, database)
    _writes(journal, database)
    _audit(journal, database)
    for secret in journal.secrets:
        if len(secret) > 8 and secret in log:
            journal.violation(f"the log holds a secret that begins with {secret[:4]}")
    if "panicked" in log:
        journal.violation("something panicked: see server.log")


def _sessions(journal: Journal, database: Database) -> None:
    stored = {session: revoked for session, revoked in database.rows("SELECT id, revoked_at FROM sessions")}
    for entry in journal.entries:
        session = entry.get("session")
        if entry["what"] == "login" and entry["answer"].startswith("200") and session not in stored:
            journal.violation(f"the login of session {session} was answered and is not stored")
    for session in journal.ended:
        if not stored.get(session):
            journal.violation(f"the sign-out of session {session} was answered and is not stored")
    doubled = database.rows("SELECT refresh_hash FROM sessions GROUP BY refresh_hash HAVING COUNT(*) > 1")
    if doubled:
        journal.violation(f"{len(doubled)} refresh tokens belong to two sessions")
    for shown, successors in live_successors(journal.entries).items():
        if len(successors) > 1:
            journal.violation(f"the refresh token {shown} has {len(successors)} successors that were accepted")
    if reused := database.rows("SELECT session_id FROM audit WHERE event = 'token_reused'"):
        journal.violation(f"honest browsers were taken for thieves: {reused}")


def live_successors(entries: list[dict]) -> dict[str, set[str]]:
    """Returns for each refresh token that was answered the different tokens that followed it and were accepted later.

    A lost answer is asked for again, and then a second successor is made. At most one of both is ever accepted.
    """
    refreshes = [entry for entry in entries if entry["what"] == "refresh" and entry.get("got")]
    accepted = {entry["shown"] for entry in refreshes}
    successors: dict[str, set[str]] = {}
    for entry in refreshes:
        if entry["got"] in accepted and entry["got"] != entry["shown"]:
            successors.setdefault(entry["shown"], set()).add(entry["got"])
    return successors


def _writes(journal: Journal, database: Database) -> None:
    notes = [note for (note,) in database.rows("SELECT note FROM invitations")]
    for entry in journal.entries:
        if entry["what"] != "invite":
            continue
        stored = notes.count(entry["note"])
        if stored > 1 or (stored == 0 and entry["answer"].startswith("201")):
            journal.violation(f"the invitation {entry['note']}, answered {entry['answer']}, is stored {stored} times")
    versions = database.rows("SELECT user_id, COUNT(*), MAX(version) FROM user_keys GROUP BY user_id")
    for user, count, newest in versions:
        if count != newest:
            journal.violation(f"the keys of user {user} have holes: {count} up to version {newest}")


def _audit(journal: Journal, database: Database) -> None:
    trail = database.rows("SELECT event, outcome, session_id FROM audit")
    signed_in = {session for event, outcome, session in trail if event == "login" and outcome in ("ok", "new_device")}
    for entry in journal.entries:
        if entry["what"] == "login" and entry["answer"].startswith("200") and entry["session"] not in signed_in:
            journal.violation(f"the audit log lacks the login of session {entry['session']}")
    signed_out = {session for event, _, session in trail if event == "logout"}
    for session in journal.ended:
        if session not in signed_out:
            journal.violation(f"the audit log lacks the sign-out of session {session}")
    for what, event in (("rotate_key", "user_key_replaced"), ("invite", "invitation_made")):
        recorded = sum(own == event for own, _, _ in trail)
        least = journal.count(what, "201")
        if not least <= recorded <= least + journal.count(what, "lost") + journal.count(what, "503"):
            journal.violation(f"{recorded} {event} in the audit log for {least} that were answered")
    refused = [outcome for event, outcome, _ in trail if event == "login" and outcome not in ("ok", "new_device")]
    judged = sum(outcome in ("wrong_password", "no_user", "unknown", "wrong_credentials") for outcome in refused)
    if judged > GUESSES or journal.count("guess", "401") > GUESSES:
        journal.violation(f"{judged} guesses were judged, {GUESSES} are allowed: {sorted(set(refused))}")
    if judged < journal.count("guess", "401"):
        journal.violation(f"{journal.count('guess', '401')} guesses were answered, {judged} are in the audit log")
