#!/usr/bin/env python3
"""Takes notifications of state changes as BSS or hmfd do: a process of its own, over HTTP or HTTPS.

usage: scn_receiver.py FILE [CERTIFICATE KEY]    listens on 127.0.0.1, writes its port to the standard output,
and appends each notification to FILE as a line {"path", "type", "body"}. The first one it refuses with 503, so
that a sender has to try again.
"""
import http.server
import json
import ssl
import sys


def main(path, certificate=None, key=None):
    refused = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = 200 if refused else 503
            refused.append(body)
            if status == 200:
                with open(path, "a", encoding="utf-8") as file:
                    line = {"path": self.path, "type": self.headers["Content-Type"], "body": body}
                    file.write(json.dumps(line) + "\n")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
