"""The faults that happen to the nodes and their database.

Each restores everything, except that the databases may have changed roles. A fault returns `False` if this machine
cannot produce it.
"""

import os
import signal
import subprocess
import time

from postgres import CONNECTIONS
from program import wait_for


def node_killed(cluster) -> None:
    node = cluster.random.choice(cluster.nodes)
    node.kill()
    time.sleep(cluster.random.uniform(0, 2))
    node.start()


def one_cut_off(cluster) -> None:
    link = cluster.random.choice(cluster.links)
    link.set("refuse")
    time.sleep(4)
    link.set("pass")


def all_cut_off(cluster) -> None:
    for link in cluster.links:
        link.set("refuse")
    time.sleep(4)
    for link in cluster.links:
        link.set("pass")


def one_cut_off_silently(cluster) -> None:
    """Simulates an unplugged database host: neither answers nor errors."""
    number = cluster.random.randrange(len(cluster.nodes))
    cluster.links[number].set("silent")
    time.sleep(2)
    if cluster.nodes[number].ready():
        cluster.journal.violation("a node that hears nothing says that it is ready")
    time.sleep(3)
    cluster.links[number].set("pass")


def node_unplugged(cluster) -> bool:
    """Pulls the network cable of a node: neither HAProxy nor the database gets an answer or an error."""
    node = cluster.random.choice(cluster.nodes)
    if not node.host.can_be_unplugged:
        return False
    node.host.unplug()
    time.sleep(5)
    node.host.plug_in()
    return True


def database_unplugged(cluster) -> bool:
    host = cluster.databases.primary.host
    if not host.can_be_unplugged:
        return False
    host.unplug()
    time.sleep(4)
    if any(node.ready() for node in cluster.nodes):
        cluster.journal.violation("a node that reaches no database says that it is ready")
    host.plug_in()
    return True


def host_vanished(cluster) -> None:
    """Simulates a database host that loses power: open connections never end, and the standby has its address."""
    for way in cluster.ways:
        way.vanish()
    primary_killed(cluster)


def clock_off(cluster) -> bool:
    node = cluster.random.choice(cluster.nodes)
    if not node.clock_library:
        return False
    node.step_clock(cluster.random.choice([-300, 300]))
    wait_for(lambda: node.state().get("clock") == "differs", 10)
    time.sleep(3)
    node.step_clock(0)
    return True


def connections_taken(cluster) -> None:
    command = ["psql", cluster.databases.primary.url(), "-qc", "SELECT pg_sleep(4)"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    crowd = [subprocess.Popen(command, **quiet) for _ in range(CONNECTIONS)]
    for one in crowd:
        one.wait()


def database_frozen(cluster) -> None:
    frozen = cluster.databases.primary.freeze()
    time.sleep(4)
    for process in frozen:
        os.kill(process, signal.SIGCONT)


def database_restarted(cluster) -> None:
    cluster.databases.restart()


def database_crashed(cluster) -> None:
    cluster.databases.crash()


def disk_full(cluster) -> bool:
    return cluster.databases.fill_disk(4)


def planned_failover(cluster) -> None:
    _fail_over(cluster, False)


def primary_killed(cluster) -> None:
    _fail_over(cluster, True)


def etcd_frozen(cluster) -> None:
    cluster.databases.lose_etcd()
    wait_for(lambda: all(node.ready() for node in cluster.nodes), 90)


def _fail_over(cluster, killed: bool) -> None:
    cluster.databases.fail_over(killed)
    for way in cluster.ways:
        if way.target != cluster.databases.place:
            way.set("pass", cluster.databases.place)
    wait_for(lambda: all(node.ready() for node in cluster.nodes))
    cluster.databases.add_standby()


ALL = [
    node_killed,
    one_cut_off,
    one_cut_off_silently,
    node_unplugged,
    database_unplugged,
    clock_off,
    connections_taken,
    database_frozen,
    database_restarted,
    database_crashed,
    disk_full,
    all_cut_off,
    planned_failover,
    primary_killed,
    host_vanished,
]
WITH_PATRONI = [fault for fault in ALL if fault not in (disk_full, database_unplugged)] + [etcd_frozen]
