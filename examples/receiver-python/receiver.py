#!/usr/bin/env python3
"""What does a receiver of webhooks look like? One route, the raw body, a signature, an effect, and an
answer that says no more than what is durable. Python's own library is all it needs.

    WEBHOOK_SECRETS='whsec_...' python3 receiver.py [PORT] [DATABASE]
"""

import base64
import contextlib
import hashlib
import hmac
import os
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The signature covers neither method nor path: there is one of each for these secrets.
PATH = "/webhook"
# Bytes of a body that are read: four times the largest that Wayfare sends.
BODY_BYTES_MAX = 1024 * 1024
# Seconds that the sender's clock and ours may differ, each way.
TOLERANCE_S = 300
# Seconds for which an id is remembered: the day for which Wayfare repeats at most, and an hour for the last
# one to arrive. A sender that repeats for longer would be taken twice.
REMEMBERED_S = 25 * 60 * 60
# Seconds after which a sender may try again.
RETRY_AFTER_S = 5

TABLES = """
CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, sha256 BLOB NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS received (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
"""


class Refused(Exception):
    """The request is not to be trusted: answer 401, and have no effect."""


def read_secrets(text):
    """The keys of secrets separated by spaces: one, or during a rotation the new one and the old one."""
    keys = []
    for number, secret in enumerate(text.split(), start=1):
        encoded = secret.removeprefix("whsec_")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except ValueError:
            raise ValueError(f"secret {number} is not base64, with or without `whsec_` before it") from None
        if not 24 <= len(key) <= 64:
            raise ValueError(f"secret {number} has not 24 to 64 bytes")
        keys.append(key)
    if not keys:
        raise ValueError("there is no secret")
    return keys


def verify(keys, headers, body, now):
    """The id of a request with exactly this body, where one of the keys signed it (Standard Webhooks v1)."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split(" ")
    # With a dot in the id, two different requests could have one signature.
    if not webhook_id or "." in webhook_id:
        raise Refused("`webhook-id` is not there or has a dot in it")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 20):
        raise Refused("`webhook-timestamp` is not in seconds since 1970")
    if abs(now - int(timestamp)) > TOLERANCE_S:
        raise Refused("`webhook-timestamp` is more than five minutes away")
    signed = f"{webhook_id}.{timestamp}.".encode("latin-1") + body
    for key in keys:
        expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
        for signature in signatures:
            version, _, value = signature.partition(",")
            # It takes the same time wherever the two differ. Other versions may stand beside ours.
            if version == "v1" and hmac.compare_digest(value.encode("latin-1"), expected):
                return webhook_id
    raise Refused("no signature fits")


def take(database, webhook_id, body, now):
    """Has the effect and remembers the id, in one transaction; the status to answer with, once it is durable."""
    sha256 = hashlib.sha256(body).digest()
    with contextlib.closing(sqlite3.connect(database, timeout=2, isolation_level=None)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM seen WHERE at < ?", [now - REMEMBERED_S])
        before = connection.execute("SELECT sha256 FROM seen WHERE id = ?", [webhook_id]).fetchone()
        if before is not None:
            return 204 if before[0] == sha256 else 422
        connection.execute("INSERT INTO seen VALUES (?, ?, ?)", [webhook_id, sha256, now])
        # Your own effect goes here, into the same database.
        connection.execute("INSERT INTO received (at, body) VALUES (?, ?)", [now, body.decode()])
    return 204


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        length = self.headers.get("Content-Length", "0")
        if self.path != PATH:
            return self.answer(404)
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            return self.answer(411)
        if len(length) > 10 or int(length) > BODY_BYTES_MAX:
            return self.answer(413)
        body = self.rfile.read(int(length))
        now = int(time.time())
        try:
            webhook_id = verify(self.server.keys, self.headers, body, now)
        except Refused as refusal:
            return self.answer(401, f"not verified: {refusal}")
        try:
            status = take(self.server.database, webhook_id, body, now)
        except UnicodeDecodeError:
            return self.answer(400, f"{webhook_id}: the body is not text")
        except sqlite3.Error as error:
            return self.answer(503, f"{webhook_id}: not taken: {error}")
        self.answer(status, f"{webhook_id}: came before with another body" if status == 422 else None)

    def answer(self, status, words=None):
        if words:
            print(words, file=sys.stderr, flush=True)
        self.send_response_only(status)
        if status == 503:
            self.send_header("Retry-After", str(RETRY_AFTER_S))
        self.end_headers()


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    database = sys.argv[2] if len(sys.argv) > 2 else "received.db"
    try:
        keys = read_secrets(os.environ.get("WEBHOOK_SECRETS", ""))
    except ValueError as error:
        sys.exit(f"WEBHOOK_SECRETS: {error}")
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.executescript(TABLES)
    server = ThreadingHTTPServer(("127.0.0.1", port), Receiver)
    server.keys, server.database = keys, database
    print(f"listening on http://127.0.0.1:{server.server_port}{PATH}", flush=True)
    # It may be killed at any time: what was answered is durable.
    server.serve_forever()


if __name__ == "__main__":
    main()
