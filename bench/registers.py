#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus TCP device of 2,000 holding registers (Debian's python3-pymodbus): registers.py PORT

Prints "ready" when it listens.
"""
import asyncio
import pathlib
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools" / "plant"))
from plant import tell_ready  # noqa: E402


async def main():
    port = int(sys.argv[1])
    unit = ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, [0] * 2000), zero_mode=True)
    context = ModbusServerContext(slaves={1: unit}, single=False)
    await asyncio.gather(tell_ready("127.0.0.1", [port]),
                         StartAsyncTcpServer(context=context, address=("127.0.0.1", port), allow_reuse_address=True))


asyncio.run(main())
