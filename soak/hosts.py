"""Hosts of the test network: network namespaces on one bridge.

The whole network is inside a namespace of the harness itself, so it touches nothing of the machine and vanishes with it.
Without root or without the programs `ip` and `unshare`, every host is the machine's own loopback.
"""

import os
import shutil
import subprocess
import sys

BRIDGE = "bridge"
INSIDE = "POSTERN_SOAK_NETWORK"


def enter() -> None:
    """Starts this program again in a network of its own, if the machine permits that."""
    if INSIDE in os.environ or os.getuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return
    unshare = ["unshare", "--net", "--mount"]
    if subprocess.run([*unshare, "ip", "link", "add", BRIDGE, "type", "bridge"], capture_output=True, check=False).returncode:
        return
    os.environ[INSIDE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


class Host:
    """A machine with one address. `prefix`: what a command line begins with to run there."""

    def __init__(self, name: str, address: str, prefix: list[str]):
        self.name, self.address, self.prefix = name, address, prefix

    @property
    def can_be_unplugged(self) -> bool:
        return bool(self.prefix)

    def unplug(self) -> None:
        """Pulls the network cable: packets are lost, and nobody learns of it."""
        _ip("link", "set", self.name, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self.name, "up")


class Hosts:
    """The network. The harness has the first address."""

    def __init__(self):
        self.are_separate, self.count = INSIDE in os.environ, 1
        self.harness = Host("harness", "10.99.0.1" if self.are_separate else "127.0.0.1", [])
        if self.are_separate:
            _ip("link", "set", "lo", "up")
            # Names of namespaces are files, which are private to the harness like its network.
            os.makedirs("/run/netns", exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)
            _ip("link", "add", BRIDGE, "type", "bridge")
            _ip("address", "add", f"{self.harness.address}/24", "dev", BRIDGE)
            _ip("link", "set", BRIDGE, "up")

    def add(self, name: str) -> Host:
        if not self.are_separate:
            return Host(name, self.harness.address, [])
        self.count += 1
        address = f"10.99.0.{self.count}"
        _ip("netns", "add", name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", name, "master", BRIDGE)
        _ip("link", "set", name, "up")
        for step in (["address", "add", f"{address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
            _ip("-n", name, *step)
        return Host(name, address, ["ip", "netns", "exec", name])
