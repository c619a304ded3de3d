"""A DHCP relay (RFC 3046) as switches have it: dhcp_relay.py INTERFACE GIADDR SERVER CIRCUIT REMOTE.

Clients are on INTERFACE; what they send goes to SERVER with GIADDR and option 82, answers go back without it.
"""
import socket
import struct
import sys

HEADER = 240
AGENT, END = 82, 255
TO_SERVER, TO_CLIENT = 1, 2
IP_PKTINFO = 8  # ip(7); the module socket does not name it


def options(packet):
    """(code, whole option) in their order."""
    at = HEADER
    while at < len(packet) and packet[at] != END:
        if packet[at] == 0:
            at += 1
            continue
        size = 2 + packet[at + 1]
        yield packet[at], packet[at:at + size]
        at += size


def with_options(packet, more=b""):
    """The packet without an agent's option, and with `more`."""
    kept = b"".join(option for code, option in options(packet) if code != AGENT)
    return packet[:HEADER] + kept + more + bytes([END])


def sub_option(code, text):
    return struct.pack("BB", code, len(text)) + text.encode()


def main(interface, giaddr, server, circuit, remote):
    told = sub_option(1, circuit) + sub_option(2, remote)
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    channel.bind(("0.0.0.0", 67))
    # Clients take answers from port 67 alone, so it is one socket that says by which interface it sends.
    to_clients = [(socket.IPPROTO_IP, IP_PKTINFO,
                   struct.pack("=I4s4s", socket.if_nametoindex(interface), socket.inet_aton(giaddr), bytes(4)))]
    print("relaying", flush=True)
    while True:
        packet = channel.recv(2048)
        if len(packet) < HEADER:
            continue
        if packet[0] == TO_SERVER:
            asked = packet[:3] + bytes([packet[3] + 1]) + packet[4:24] + socket.inet_aton(giaddr) + packet[28:]
            channel.sendto(with_options(asked, struct.pack("BB", AGENT, len(told)) + told), (server, 67))
        elif packet[0] == TO_CLIENT:
            channel.sendmsg([with_options(packet)], to_clients, 0, ("255.255.255.255", 68))


if __name__ == "__main__":
    main(*sys.argv[1:])
