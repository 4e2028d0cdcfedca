"""Asks `receiver.py`, whose directory and database are the arguments, questions from stdin, one a line."""

import base64
import json
import sqlite3
import sys

sys.path.insert(0, sys.argv[1])
import receiver

database = sys.argv[2]
with sqlite3.connect(database) as connection:
    connection.executescript(receiver.TABLES)
for line in sys.stdin:
    question = json.loads(line)
    body = base64.b64decode(question["body"])
    if "secrets" in question:
        try:
            keys = receiver.read_secrets(question["secrets"])
            receiver.verify(keys, question["headers"], body, question["now"])
            answer = "taken"
        except (receiver.Refused, ValueError):
            answer = "refused"
    else:
        answer = receiver.take(database, question["id"], body, question["now"])
    print(answer, flush=True)
