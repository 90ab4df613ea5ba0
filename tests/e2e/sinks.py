#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other end of the sinks, for tests/e2e/75-sinks.sh.

sinks.py http DIR [--tls CERT KEY] [--clients CA]   an HTTP server on a port of 127.0.0.1, which is written to DIR/port
sinks.py check NAME=VALUE... < COUNTERS             holds the counters of sink_feed against what is wanted

What the server does follows from the path:

    /ok            204
    /slow          204, after 300 ms
    /stuck         nothing, for a minute
    /status/N      N, always
    /once/N        N for the first request with a body, then 204
    /after         429 with Retry-After: 1 for the first, then 204
    /flood         200, and a body without an end
    /cut           closes the connection instead of an answer, the first time for a body; then 204

Each request is a line of DIR/requests: path, the connection's number, the status, the content type, X-Test and the body
as JSON.
"""

import http.server
import itertools
import json
import os
import ssl
import sys
import threading
import time

connections = itertools.count(1)
lock = threading.Lock()
seen = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.number = next(connections)

    def log_message(self, *_):
        pass

    def first_time(self, body):
        with lock:
            fresh = (self.path, body) not in seen
            seen.add((self.path, body))
        return fresh

    def note(self, status, body):
        line = json.dumps({
            "path": self.path, "connection": self.number, "status": status, "body": body,
            "type": self.headers.get("Content-Type"), "test": self.headers.get("X-Test"),
            "auth": self.headers.get("Authorization"),
        })
        with lock, open(os.path.join(self.server.folder, "requests"), "a", encoding="utf-8") as f:
            f.write(line + "\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        kind, _, rest = self.path.lstrip("/").partition("/")
        status = 204
        if kind == "slow":
            time.sleep(0.3)
        elif kind == "stuck":
            self.note(0, body)
            time.sleep(60)
            return
        elif kind == "status":
            status = int(rest)
        elif kind == "once" and self.first_time(body):
            status = int(rest)
        elif kind == "after" and self.first_time(body):
            status = 429
        elif kind == "cut" and self.first_time(body):
            self.note(0, body)
            self.close_connection = True
            return
        self.note(status, body)
        if kind == "flood":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                self.close_connection = True
            return
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def serve(args):
    server = Server(("127.0.0.1", 0), Handler)
    server.folder = args[0]
    if "--tls" in args:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        at = args.index("--tls")
        context.load_cert_chain(args[at + 1], args[at + 2])
        if "--clients" in args:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(args[args.index("--clients") + 1])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(os.path.join(args[0], "port.new"), "w", encoding="ascii") as f:
        f.write(str(server.server_address[1]))
    os.rename(os.path.join(args[0], "port.new"), os.path.join(args[0], "port"))
    server.serve_forever()


def check(args):
    """Of the last line of counters whose sink begins with sink=...; NAME>VALUE and NAME~TEXT as well."""
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    for arg in args:
        if arg.startswith("sink="):
            lines = [c for c in lines if c["sink"].startswith(arg[5:])]
    if not lines:
        sys.exit("there are no counters")
    c = lines[-1]
    if c["put"] != c["written"] + c["dropped"] + c["failed"] + c["queued"]:
        sys.exit(f"the account does not add up: {c}")
    for arg in args:
        for sign, holds in (("=", lambda a, b: str(a).lower() == b), (">", lambda a, b: a > int(b)),
                            ("<", lambda a, b: a < int(b)), ("~", lambda a, b: b in a)):
            name, found, value = arg.partition(sign)
            if found and name in c:
                if name != "sink" and not holds(c[name], value):
                    sys.exit(f"{arg} does not hold: {c}")
                break
        else:
            sys.exit(f"what is {arg}?")


if __name__ == "__main__":
    {"http": serve, "check": check}[sys.argv[1]](sys.argv[2:])
