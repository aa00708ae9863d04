"""A network of the test's own: one namespace, one loopback, documentation addresses.

Each test runs in namespaces of its own (network, processes, mounts), so that ports never
collide, real networks are never touched, and everything a test started ends with it.
Knows `unshare` and `ip`. Must never know what runs inside.
"""

import os
import pathlib
import subprocess

# RFC 5737 and RFC 3849: addresses that belong to nobody.
VIGIE = "192.0.2.1"
TRUNK = "192.0.2.10"
TRUNK_WITH_PASSWORD = "192.0.2.11"
STRANGER = "192.0.2.66"
PHONE = "192.0.2.20"
PHONES = tuple(f"192.0.2.{20 + index}" for index in range(8))
FIXED = "192.0.2.40"
VIGIE_6 = "2001:db8::1"
TRUNK_6 = "2001:db8::10"
PHONE_6 = "2001:db8::20"

# Places where a program might leave something; each namespace gets empty ones of its own.
PRIVATE_FOLDERS = ("/dev/shm", "/run")

_V4 = (VIGIE, TRUNK, TRUNK_WITH_PASSWORD, STRANGER, FIXED, *PHONES)
_V6 = (VIGIE_6, TRUNK_6, PHONE_6)


def unshare_command() -> list[str]:
    """The prefix that gives a command namespaces of its own; as root, or by a user namespace."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"]


def why_not_here() -> str | None:
    """Why namespaces cannot be had on this machine; None when they can."""
    probe = subprocess.run([*unshare_command(), "ip", "link", "set", "lo", "up"], capture_output=True, text=True)
    if probe.returncode == 0:
        return None
    reason = (probe.stderr.strip() or f"exit code {probe.returncode}").splitlines()[-1]
    return f"no network namespace of its own: {reason} (run as root, or allow user namespaces)"


def set_up() -> None:
    """Inside the namespaces: folders of its own, loopback up, all addresses on it."""
    for private in PRIVATE_FOLDERS:
        subprocess.run(["mount", "-t", "tmpfs", "none", private], check=True)
    commands = ["link set lo up"]
    commands += [f"addr add {address}/32 dev lo" for address in _V4]
    # Without `nodad` an address stays tentative for a second and refuses to be bound.
    commands += [f"addr add {address}/128 dev lo nodad" for address in _V6]
    # Baresip leaves its source address to the kernel, which would take the destination's own for an
    # address of this machine: from its phone's address to vigie's, then.
    commands += [f"route change local {VIGIE} dev lo table local proto kernel scope host src {PHONE}"]
    # Softphones take a network without a default route for no network; nothing leaves by this one.
    commands += ["route add default dev lo"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", text=True, check=True)


def listens(port: int, tcp: bool = False) -> bool:
    """Whether somebody in this namespace has a UDP socket, or a listening TCP one, on this port."""
    for table in ("tcp", "tcp6") if tcp else ("udp", "udp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            # State 0A is LISTEN; a UDP socket has no states worth asking for.
            if int(fields[1].rpartition(":")[2], 16) == port and (not tcp or fields[3] == "0A"):
                return True
    return False
