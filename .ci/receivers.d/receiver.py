"""Takes webhooks as a user of a published library does, and logs what the library says.

    NEW=whsec_... OLD=whsec_... python receiver.py standardwebhooks|svix LOG
"""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

library, log = sys.argv[1:]
if library == "svix":
    from svix.webhooks import Webhook, WebhookVerificationError
else:
    from standardwebhooks.webhooks import Webhook, WebhookVerificationError
SECRETS = {name: Webhook(os.environ[name]) for name in ("NEW", "OLD")}
copies = {}


def is_verified(webhook, body, headers):
    try:
        if library == "svix":
            webhook.verify(body, headers)
        else:
            webhook.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        # Where a header cannot be taken apart, some parts of the library raise the plain kind.
        return False
    return True


class Receiver(BaseHTTPRequestHandler):
    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = dict(self.headers)
        verified = {name: is_verified(webhook, body, headers) for name, webhook in SECRETS.items()}
        webhook_id = self.headers.get("webhook-id")
        copies[webhook_id] = copies.get(webhook_id, 0) + 1
        status = 204 if any(verified.values()) else 401
        if status == 204 and self.path == "/retried" and copies[webhook_id] <= 2:
            status = 500
        entry = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in headers.items()},
            "body": base64.b64encode(body).decode(),
            "verified": verified,
            "status": status,
        }
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self.send_response_only(status)
        self.end_headers()

    do_POST = do_PUT = do_DELETE = take


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
