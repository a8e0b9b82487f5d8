#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus TCP device for tests: every area and type, holes, a register that takes no writes.

Unit 1 answers, unit 200 every third request, any other is silent, as behind a gateway. Prints its
process id and port.
  modbus_device.py [PORT]
"""
import asyncio
import os
import socket
import struct
import sys

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server import StartAsyncTcpServer

STUBBORN = 40  # Takes writes and keeps its value.
LOSSY = 200  # A unit that answers every third request.


class Registers(ModbusSparseDataBlock):
    def setValues(self, address, values, use_as_default=False):  # noqa: N802, the library's name
        if address != STUBBORN:
            super().setValues(address, values)


class Gateway(ModbusServerContext):
    """Unit 1 tells in input register 10 how often the silent units were asked."""

    asked = lossy = 0

    def slaves(self):
        return [0, 1]  # With 0 among them the requests to all others come to the look-up below.

    def __getitem__(self, slave):
        if slave != 1:
            self.asked += 1
            super().__getitem__(1).setValues(4, 10, [self.asked])
        if slave == LOSSY:
            self.lossy += 1
            slave = 1 if self.lossy % 3 == 0 else slave
        return super().__getitem__(slave)


def words(form, value):
    octets = struct.pack(form, value)
    return list(struct.unpack(f">{len(octets) // 2}H", octets))


def holding():
    cells = {address: 0 for address in range(50)}
    cells.update({address: address for address in range(60, 70)})  # 50..59 do not exist.
    def put(address, content):
        cells.update({address + index: word for index, word in enumerate(content)})
    put(0, words(">h", -123))
    put(1, words(">i", -70000))
    put(3, words(">q", -5_000_000_000))
    put(7, words(">f", 21.5))
    put(9, words(">d", 1234.5678))
    put(13, words(">f", 21.5)[::-1])
    put(15, words(">Q", 2**63))
    put(19, words(">8s", b"furnace\0"))
    put(30, words(">f", 60.0))
    return Registers(cells)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else free_port()
    unit = ModbusSlaveContext(
        hr=holding(),
        ir=ModbusSparseDataBlock({0: 77, 1: 78, 10: 0}),
        co=ModbusSparseDataBlock({address: address % 2 for address in range(16)}),
        di=ModbusSparseDataBlock({address: 1 for address in range(4)}),
        zero_mode=True,
    )
    asyncio.get_running_loop().call_later(0.05, lambda: print(os.getpid(), port, flush=True))
    await StartAsyncTcpServer(
        context=Gateway(slaves={1: unit}, single=False),
        address=("127.0.0.1", port), allow_reuse_address=True, ignore_missing_slaves=True,
    )


asyncio.run(main())
