"""Do the published libraries verify what Wayfare sends, and do the example receivers take it? Starts a receiver
of each, lets `wayfare run` send to all of them, and reads what they kept.

    python check.py WAYFARE PACKAGES    (run by the Python that has the libraries)
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time

wayfare, packages = map(os.path.abspath, sys.argv[1:])
here = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = ["python-standardwebhooks", "python-svix", "node-standardwebhooks", "node-svix"]
PEOPLE = 5
SECRETS = {name: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() for name in ("NEW", "OLD")}

# Path: the block, which secrets verify what it sends, and how often it is sent.
BLOCKS = {
    "rotated": ("method: POST, sign: [{ env: NEW }, { env: OLD }], payload: PAYLOAD", ["NEW", "OLD"], 1),
    "single": ("method: PUT, sign: { env: NEW }, payload: PAYLOAD", ["NEW"], 1),
    "old": ("method: POST, sign: { env: OLD }, payload: PAYLOAD", ["OLD"], 1),
    "empty": ("method: DELETE, sign: [{ env: NEW }, { env: OLD }], payload: none", ["NEW", "OLD"], 1),
    "retried": (
        "method: PUT, sign: [{ env: NEW }, { env: OLD }], delivery: at_least_once, window: 1m, payload: PAYLOAD",
        ["NEW", "OLD"],
        3,
    ),
}
PAYLOAD = '{ who: "{profile.userId}", text: "{properties.text}", number: "{properties.number}", price: "{properties.price}" }'
JOURNEY = """
journey: {name}
title: {name}
description: What is sent to one library.
trigger: {{ event: Signed Up }}
entry: {{ again: once }}
blocks:
  send:
    webhook: {{ url: "http://127.0.0.1:{port}/{path}", consent: {{ basis: contract, because: it is a check }}, {block} }}
"""
# Whoever parses and writes this again has other bytes.
EVENT = (
    '{"type":"track","messageId":"m%d","userId":"u%d","event":"Signed Up",'
    '"properties":{"text":"Gr\\u00fc\\u00dfe \U0001f600 \\u2028 \\"</script>\\"","number":9007199254740993,"price":1.10}}\n'
)


def expect(is_so, words):
    if not is_so:
        sys.exit(f"receivers: {words}")


def port_of(stack, command):
    """Starts a receiver; where it listens is the last number of its first line."""
    both = {"WEBHOOK_SECRETS": f"{SECRETS['NEW']} {SECRETS['OLD']}"}
    process = subprocess.Popen(command, env=os.environ | SECRETS | both, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    line = process.stdout.readline()
    expect(line, f"{command} does not start")
    return int(line.removesuffix("/webhook\n").rsplit(":")[-1])


class Example:
    """One of the example receivers, which takes only what is signed."""

    def __init__(self, stack, scratch, language):
        self.language, self.store = language, f"{scratch}/example-{language}"
        program, name = {"python": (sys.executable, "receiver.py"), "node": ("node", "receiver.mjs")}[language]
        path = f"{here}/../../examples/receiver-{language}/{name}"
        self.port = port_of(stack, [program, path, "0", self.store])

    def taken(self):
        """The ids of what had its effect."""
        if self.language == "python":
            with contextlib.closing(sqlite3.connect(self.store)) as connection:
                return sorted(row[0] for row in connection.execute("SELECT id FROM seen"))
        with open(self.store, encoding="utf-8") as file:
            return sorted(json.loads(line)["id"] for line in file)


class Receiver:
    """A library that listens."""

    def __init__(self, stack, scratch, library):
        language, name = library.split("-")
        self.library, self.log = library, f"{scratch}/{library}.ndjson"
        command = [sys.executable, f"{here}/receiver.py", name, self.log]
        if language == "node":
            command = ["node", f"{here}/receiver.mjs", name, self.log, packages]
        self.port = port_of(stack, command)

    def ask(self, method, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def logged(self):
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def signed(secret, age, body):
    """The headers of a request that somebody else signed: the receivers are shown to tell right from wrong."""
    timestamp = str(int(time.time()) - age)
    content = f"msg_1.{timestamp}.".encode() + body
    code = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256)
    signature = "v1," + base64.b64encode(code).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}


def receivers_can_tell(receivers):
    body = b'{"a":1}'
    strange = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    right = signed(SECRETS["NEW"], 0, body)
    table = [
        (right, body, 204),
        (signed(SECRETS["OLD"], 0, body), body, 204),
        ({name.upper(): value for name, value in right.items()}, body, 204),
        ({**right, "webhook-signature": f"v1,{'A' * 43}= {right['webhook-signature']}"}, body, 204),
        ({**right, "webhook-signature": f"v2,x {right['webhook-signature']}"}, body, 204),
        (signed(SECRETS["NEW"], 0, b""), b"", 204),
        (signed(SECRETS["NEW"], 200, body), body, 204),
        (signed(SECRETS["NEW"], 400, body), body, 401),
        (signed(SECRETS["NEW"], -400, body), body, 401),
        (signed(strange, 0, body), body, 401),
        (right, body + b" ", 401),
        ({**right, "webhook-id": "msg_2"}, body, 401),
        ({}, body, 401),
    ]
    for receiver in receivers:
        for headers, sent, expected in table:
            status = receiver.ask("POST", "/own", headers, sent)
            expect(status == expected, f"{receiver.library} answers {status} to {headers} {sent}, not {expected}")
        os.remove(receiver.log)


def write_project(directory, receivers, examples):
    os.mkdir(directory)
    journeys = [
        (f"{receiver.library}-{path}", receiver.port, path, block)
        for receiver in receivers
        for path, (block, _, _) in BLOCKS.items()
    ]
    block, _, _ = BLOCKS["rotated"]
    journeys += [(f"example-{example.language}", example.port, "webhook", block) for example in examples]
    for name, port, path, block in journeys:
        with open(f"{directory}/{name}.yaml", "w", encoding="utf-8") as file:
            block = block.replace("PAYLOAD", PAYLOAD)
            file.write(JOURNEY.format(name=name, port=port, path=path, block=block))
    ports = ", ".join(str(receiver.port) for receiver in [*receivers, *examples])
    with open(f"{directory}/wayfare.yaml", "w", encoding="utf-8") as file:
        file.write("webhooks:\n  allow_networks: [127.0.0.0/8]\n  allow_http: [127.0.0.1]\n")
        file.write(f"  allow_ports: [{ports}]\n")
    with open(f"{directory}/events.ndjson", "w", encoding="utf-8") as file:
        for person in range(PEOPLE):
            file.write(EVENT % (person, person))


def sent_by_wayfare(directory):
    """The deliveries that were owed: journey to ids."""
    command = [wayfare, "run", "--journeys", directory, "--events", f"{directory}/events.ndjson"]
    run = subprocess.run(command, env=os.environ | SECRETS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    expect(run.returncode == 0, f"wayfare ends with {run.returncode}: {run.stdout}{run.stderr}")
    owed, delivered = {}, {}
    # Not `splitlines`: the text in the events has a separator that it would heed.
    for line in map(json.loads, filter(None, run.stdout.split("\n"))):
        if line["kind"] == "decision":
            expect(line["outcome"] == "webhook", f"another decision: {line}")
            owed.setdefault(line["journey"], []).append(line["deliveryId"])
        elif line["kind"] == "delivery" and line["state"] == "delivered":
            delivered.setdefault(line["journey"], []).append(line["deliveryId"])
    for ids in (*owed.values(), *delivered.values()):
        ids.sort()
    expect(owed == delivered, f"not everything was delivered: {run.stdout}{run.stderr}")
    return owed


def each_request_is_verified(receiver, owed):
    """What it logged is what was decided, each verified at its time."""
    logged = receiver.logged()
    for path, (_, verifying, attempts) in BLOCKS.items():
        name = f"{receiver.library}-{path}"
        arrived = {}
        for entry in logged:
            if entry["path"] == f"/{path}":
                arrived.setdefault(entry["headers"].get("webhook-id"), []).append(entry)
        expect(len(owed.get(name, [])) == PEOPLE, f"{name}: {owed.get(name)} were owed")
        expect(sorted(arrived) == owed[name], f"{name}: {sorted(arrived)} arrived, {owed[name]} were owed")
        for webhook_id, entries in arrived.items():
            expect(len(entries) == attempts, f"{name} {webhook_id}: {len(entries)} requests, not {attempts}")
            for entry in entries:
                verified = [secret for secret, is_so in entry["verified"].items() if is_so]
                expect(verified == verifying, f"{name}: verified with {verified}, not {verifying}: {entry}")
                count = entry["headers"].get("webhook-signature", "").count("v1,")
                expect(count == len(verifying), f"{name}: {count} signatures: {entry}")
            statuses = [entry["status"] for entry in entries]
            expect(statuses == [500] * (attempts - 1) + [204], f"{name} {webhook_id}: answered {statuses}")
            expect(len({entry["body"] for entry in entries}) == 1, f"{name} {webhook_id}: several bodies")
            times = [int(entry["headers"]["webhook-timestamp"]) for entry in entries]
            expect(times == sorted(times), f"{name} {webhook_id}: the timestamps are {times}")
            if attempts > 1:
                # Five seconds or so have passed.
                expect(times[0] < times[-1], f"{name} {webhook_id}: the timestamps are {times}")
    known = {f"/{path}" for path in BLOCKS}
    expect(all(entry["path"] in known for entry in logged), f"{receiver.library} got something else")
    return logged


def an_altered_request_is_refused(receiver, logged):
    for entry in logged:
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        headers = {name: entry["headers"][name] for name in names}
        body = base64.b64decode(entry["body"])
        middle = len(body) // 2
        altered = body[:middle] + b" " + body[middle:]
        for sent, expected in [(body, 204), (altered, 401)]:
            status = receiver.ask("POST", "/again", headers, sent)
            expect(status == expected, f"{receiver.library}: {status} to {sent} after {entry}, not {expected}")


with contextlib.ExitStack() as stack:
    scratch = stack.enter_context(tempfile.TemporaryDirectory())
    receivers = [Receiver(stack, scratch, library) for library in LIBRARIES]
    examples = [Example(stack, scratch, language) for language in ("python", "node")]
    receivers_can_tell(receivers)
    write_project(f"{scratch}/project", receivers, examples)
    owed = sent_by_wayfare(f"{scratch}/project")
    requests = 0
    for receiver in receivers:
        logged = each_request_is_verified(receiver, owed)
        an_altered_request_is_refused(receiver, logged)
        requests += len(logged)
    for example in examples:
        name = f"example-{example.language}"
        expect(len(owed.get(name, [])) == PEOPLE, f"{name}: {owed.get(name)} were owed")
        expect(example.taken() == owed[name], f"{name} took {example.taken()}, {owed[name]} were owed")
print(f"{requests} requests, each verified by its library, and altered refused; both examples took theirs")
