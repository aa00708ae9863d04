"""RFC 4475 against the running program: each message is judged by what comes back, over UDP and over TCP."""

import csv
import re
import socket
import time

from harness import network
from harness.deployment import Deployment
from harness.marks import limit
from harness.processes import check
from harness.program import ROOT
from harness.world import World

TORTURE = ROOT / "crates" / "sip" / "tests" / "torture"
PATIENCE_SECONDS = 0.4
# Ports that the messages' Via headers name; the answers go there (RFC 3261 §18.2.2).
VIA_PORTS = (5050, 5070)


def table() -> list[dict[str, str]]:
    """The messages and their verdicts."""
    with (TORTURE / "index.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


# What an element may say to a well-formed request that it understands (OK* in the table); 481: a To tag of no dialog.
UNDERSTOOD = (401, 403, 404, 407, 480, 481, 486, 488, 603)


def fits(verdicts: str, statuses: list[int]) -> bool:
    """Whether the final answers are as one of the verdicts says."""
    finals = [status for status in statuses if status >= 200]
    for verdict in verdicts.split("|"):
        if verdict == "none" and not statuses:
            return True
        if verdict == "OK*" and finals and all(status < 300 or status in UNDERSTOOD for status in finals):
            return True
        if verdict.isdigit() and finals and all(status == int(verdict) for status in finals):
            return True
    return False


def judge(answers: dict[str, list[int]], what: str) -> None:
    """Fails with every message that was not answered as the table says."""
    wrong = [
        f"{row['file']} ({row['rfc_verdict']}): {answers[row['file']]}, expected {row['expect']} or {row['tolerated']}: {row['note']}"
        for row in table()
        if not fits(row["expect"], answers[row["file"]]) and not fits(row["tolerated"], answers[row["file"]])
    ]
    check(not wrong, f"over {what}, {len(wrong)} of {len(answers)} messages:\n" + "\n".join(wrong))


def statuses_of(data: bytes) -> list[int]:
    """The status codes of the responses in some bytes."""
    return [int(status) for status in re.findall(rb"(?:^|\r\n\r\n)\s*SIP/2\.0 (\d{3})", data)]


def still_serves(world: World) -> None:
    """After all that a plain call is served."""
    phone = world.phone("anna")
    world.call(talk_ms=4000, index=3).wait()
    phone.wait()


@limit(180)
def test_torture_over_udp(world: World) -> None:
    """Each of the 49 messages in a datagram of its own."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    sockets = []
    for port in (5060, *VIA_PORTS):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind((network.TRUNK, port))
        sockets.append(listener)
    answers: dict[str, list[int]] = {}
    seen: set[bytes] = set()
    for row in table():
        sockets[0].sendto((TORTURE / row["file"]).read_bytes(), (network.VIGIE, 5060))
        answers[row["file"]] = drain(sockets, PATIENCE_SECONDS, seen)
        check(program.running(), f"the program ended at {row['file']}: {program.log()[-1500:]}")
    for listener in sockets:
        listener.close()
    judge(answers, "UDP")
    still_serves(world)


def drain(sockets: list[socket.socket], seconds: float, seen: set[bytes]) -> list[int]:
    """The statuses that arrive at any of the sockets within some time; what was seen before is a retransmission."""
    statuses: list[int] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for listener in sockets:
            listener.settimeout(0.01)
            try:
                data = listener.recv(65536)
            except TimeoutError:
                continue
            if data not in seen:
                seen.add(data)
                statuses += statuses_of(data)
    return statuses


@limit(180)
def test_torture_over_tcp(world: World) -> None:
    """Each of the 49 messages on a connection of its own, while another connection stays usable."""
    program = world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    answers: dict[str, list[int]] = {}
    for row in table():
        connection = socket.create_connection((network.VIGIE, 5060), timeout=2, source_address=(network.TRUNK, 0))
        connection.sendall((TORTURE / row["file"]).read_bytes())
        data, deadline = b"", time.monotonic() + PATIENCE_SECONDS
        connection.settimeout(0.05)
        while time.monotonic() < deadline:
            try:
                part = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not part:
                break
            data += part
        connection.close()
        answers[row["file"]] = statuses_of(data)
        check(program.running(), f"the program ended at {row['file']}: {program.log()[-1500:]}")
    # RFC 4475 §3.1.1.8: two requests over a stream; the body of the second is longer than it says.
    double = answers["rfc4475/dblreq.dat"]
    check(len(double) >= 2, f"the two requests on one stream were answered {double}")
    answers["rfc4475/dblreq.dat"] = double[:1]
    judge(answers, "TCP")
    still_serves(world)


def test_silent_and_slow_tcp_peers_stall_nobody(world: World) -> None:
    """A connection that sends half a message, one that never reads, and twenty idle ones: calls go on."""
    world.vigie(Deployment().operator("anna", fixed=network.PHONE))
    connections = [socket.create_connection((network.VIGIE, 5060), timeout=2, source_address=(network.TRUNK, 0)) for _ in range(22)]
    connections[0].sendall(b"INVITE sip:0199001234@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bKhalf\r\n")
    options = (
        "OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.10;branch=z9hG4bK{0}\r\nFrom: <sip:a@192.0.2.10>;tag={0}\r\n"
        "To: <sip:192.0.2.1>\r\nCall-ID: {0}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    connections[1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connections[1].settimeout(1)
    try:
        for index in range(3000):
            connections[1].sendall(options.format(index).encode())
    except OSError:
        pass
    phone = world.phone("anna")
    world.call(transport="t1", talk_ms=5000).wait()
    phone.wait()
    for connection in connections:
        connection.close()
