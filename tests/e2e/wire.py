"""The daemon protocol in Python, just enough to be a bad peer: TLS with a daemon's identity, frames, hello."""
import contextlib
import socket
import ssl
import struct
import time

HELLO, REFUSAL, HEARTBEAT, GOODBYE, MEMBERS, RECORDS = 1, 2, 3, 4, 23, 40


def frame(kind, payload=b"", lane=0, reserved=0, channel=0, size=None):
    """docs/protocol.md, Frames. `size` overrides the honest one."""
    return struct.pack(">IBBHI", len(payload) if size is None else size, kind, lane, reserved, channel) + payload


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def hello(cluster, role, name, protocol=(1, 1), incarnation=None):
    """proto/link.proto, Hello, as a frame."""
    texts = {1: cluster, 2: role, 3: name, 6: "boot", 10: "0.0.0-python"}
    numbers = {4: incarnation or int(time.time() * 1000), 5: 1, 7: protocol[0], 8: protocol[1], 9: 3}
    payload = b"".join(varint(k << 3 | 2) + varint(len(v.encode())) + v.encode() for k, v in texts.items())
    payload += b"".join(varint(k << 3) + varint(v) for k, v in numbers.items())
    return frame(HELLO, payload)


@contextlib.contextmanager
def tcp(host, port, timeout=20.0):
    with socket.create_connection((host, port), timeout=timeout) as raw:
        yield raw


@contextlib.contextmanager
def tls(host, port, identity=None, timeout=20.0):
    """`identity`: a daemon's identity.pem, or nothing for a peer without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if identity:
        context.load_cert_chain(identity)
    with tcp(host, port, timeout) as raw, context.wrap_socket(raw) as secure:
        yield secure


def read_until_closed(peer):
    """All that still comes, until the other end closes or cuts; TimeoutError when it does not."""
    out = b""
    while True:
        try:
            more = peer.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            return out
        if not more:
            return out
        out += more


def frames(data):
    """(type, payload) of each whole frame."""
    out = []
    while len(data) >= 12:
        size, kind = struct.unpack(">IB", data[:5])
        out.append((kind, data[12:12 + size]))
        data = data[12 + size:]
    return out
