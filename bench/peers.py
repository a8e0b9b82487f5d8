# SPDX-License-Identifier: Apache-2.0
"""Peers of the edge: small programs of others that poll the same plant, or wait."""
import os
import pathlib

from platform_parts import Process, free_port, wait_for
from report import absent, peer_program

COLLECTD = """Hostname "bench"
FQDNLookup false
BaseDir "{folder}"
PIDFile "{folder}/pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
Interval 1
LoadPlugin modbus
LoadPlugin mqtt
<Plugin mqtt>
  <Publish "broker">
    Host "127.0.0.1"
    Port {broker}
    Prefix "bench"
  </Publish>
</Plugin>
<Plugin modbus>
{tags}  <Host "furnace">
    Address "127.0.0.1"
    Port "{plant}"
    Interval 1
    <Slave 1>
      Instance "plc"
{collects}    </Slave>
  </Host>
</Plugin>
"""
TAGS = (("temperature", 0, "Float"), ("counter", 4, "Uint32"), ("setpoint", 6, "Float"))


def start_collectd(folder, plant_port):
    """collectd that polls the plant's three tags each second and publishes them; None when absent."""
    program = peer_program("P15", "collectd", "collectd-core")
    if not program or not pathlib.Path("/usr/lib/collectd/modbus.so").exists():
        return None
    inner = folder / "collectd"
    inner.mkdir()
    port = free_port()
    (inner / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    broker = Process("peer-broker", ["/usr/sbin/mosquitto", "-c", inner / "broker.conf"], inner).start()
    tags = "".join(
        f'  <Data "{name}">\n    RegisterBase {base}\n    RegisterType {kind}\n    RegisterCmd ReadHolding\n'
        f'    Type gauge\n    Instance "{name}"\n  </Data>\n'
        for name, base, kind in TAGS
    )
    collects = "".join(f'      Collect "{name}"\n' for name, _, _ in TAGS)
    config = inner / "collectd.conf"
    config.write_text(COLLECTD.format(folder=inner, broker=port, plant=plant_port, tags=tags, collects=collects))
    collectd = Process("collectd", [program, "-f", "-C", config], inner).start()
    collectd.broker = broker
    wait_for("collectd", lambda: "Initialization complete" in collectd.text(), 10)
    return collectd


def stop_collectd(collectd):
    if collectd:
        collectd.stop()
        collectd.broker.stop()


def start_node_red(folder):
    """An idle Node-RED; None when it is not here."""
    script = pathlib.Path(os.environ.get("ECP_NODE_RED", "/nowhere"))
    if not script.exists():
        absent("P15", "Node-RED", "npm could not install it within a minute")
        return None
    port = free_port()
    inner = folder / "node-red"
    inner.mkdir()
    return Process("node-red", ["node", script, "--port", str(port), "--userDir", inner], folder).start()
