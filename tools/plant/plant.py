#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A heating furnace behind a Modbus TCP server (Debian's python3-pymodbus).

Unit 1, holding registers (numbers from 1, 32-bit values with the high word first):
  400001  temperature  float32, °C: follows the set-point with a first-order lag, with noise
  400003  humidity     float32, %: falls while it is hot
  400005  counter      uint32: one more every 100 ms
  400007  set-point    float32, writable
  400009  writes       uint32: how often the set-point was written
  400011  hold         uint16, writable: see below
  400013  reads        uint32: see below

  plant.py --port 5020 [--seed 7] [--second-port 5021] [--count-reads]

With --count-reads the counter is one more each time that it is read, so that whoever tests knows each
number that was ever given out, and that it was given out once; `reads` is the last one. While `hold` is
not 0 nothing is counted, and the counter is 0.

Prints "ready" when it listens.
"""
import argparse
import asyncio
import random
import struct

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartAsyncTcpServer

STEP_S = 0.1
LAG_S = 4.0  # Time constant of the furnace.
AMBIENT = 20.0
NOISE = 0.15
HOLDING = 3  # Function code that names the holding registers to pymodbus.
TEMPERATURE, HUMIDITY, COUNTER, SETPOINT, WRITES, HOLD, READS = 0, 2, 4, 6, 8, 10, 12


def float_words(value):
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def whole_words(value):
    return [value >> 16, value & 0xFFFF]


def words_float(words):
    return struct.unpack(">f", struct.pack(">HH", *words))[0]


class Registers(ModbusSlaveContext):
    """Counts the writes of the set-point, so that whoever tests can see each effect, and what is read."""

    writes = reads = 0
    counts_reads = False

    def setValues(self, fc_as_hex, address, values):
        super().setValues(fc_as_hex, address, values)
        if address == SETPOINT:
            self.writes += 1
            super().setValues(HOLDING, WRITES, whole_words(self.writes))

    def getValues(self, fc_as_hex, address, count=1):
        if self.counts_reads and address <= COUNTER and COUNTER + 2 <= address + count:
            self.count_read()
        return super().getValues(fc_as_hex, address, count)

    def count_read(self):
        is_held = super().getValues(HOLDING, HOLD) != [0]
        self.reads += not is_held
        self.setValues(HOLDING, COUNTER, whole_words(0 if is_held else self.reads))
        self.setValues(HOLDING, READS, whole_words(self.reads))


class Furnace:
    def __init__(self, seed, counts_reads=False):
        self.random = random.Random(seed)
        self.temperature, self.counter = AMBIENT, 0
        self.registers = Registers(hr=ModbusSequentialDataBlock(0, [0] * 100), zero_mode=True)
        self.registers.counts_reads = counts_reads
        self.put(SETPOINT, float_words(60.0))
        self.step()

    def put(self, address, words):
        self.registers.setValues(HOLDING, address, words)

    def step(self):
        setpoint = words_float(self.registers.getValues(HOLDING, SETPOINT, 2))
        self.temperature += (setpoint - self.temperature) * STEP_S / LAG_S
        seen = self.temperature + self.random.gauss(0, NOISE)
        humidity = max(5.0, 60.0 - (self.temperature - AMBIENT) / 10) + self.random.gauss(0, 0.3)
        self.put(TEMPERATURE, float_words(seen))
        self.put(HUMIDITY, float_words(humidity))
        if not self.registers.counts_reads:
            self.counter = (self.counter + 1) & 0xFFFFFFFF
            self.put(COUNTER, whole_words(self.counter))


async def heat(furnaces):
    while True:
        await asyncio.sleep(STEP_S)
        for furnace in furnaces:
            furnace.step()


async def serve(furnace, host, port):
    await StartAsyncTcpServer(
        context=ModbusServerContext(slaves={1: furnace.registers}, single=False),
        address=(host, port), allow_reuse_address=True,
    )


async def tell_ready(host, ports):
    for port in ports:
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.02)
    print("ready", flush=True)


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--second-port", type=int, help="another furnace beside it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count-reads", action="store_true", help="the counter counts how often it is read")
    options = parser.parse_args()
    ports = [port for port in (options.port, options.second_port) if port]
    furnaces = [Furnace(options.seed + index, options.count_reads) for index in range(len(ports))]
    servers = [serve(furnace, options.host, port) for furnace, port in zip(furnaces, ports)]
    await asyncio.gather(heat(furnaces), tell_ready(options.host, ports), *servers)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
