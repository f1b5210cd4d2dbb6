#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# hostile.py KIND [ARGUMENT]: be a process of an ordinary user that tries to hide from root's tools,
# or to delay them.  It prints its number, and lives until it is killed.

import ctypes
import mmap
import os
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                      ctypes.c_int, ctypes.c_long]
PR_SET_NAME = 15
MAP_NORESERVE = 0x4000
SYS_EXIT = 60
TERABYTE = 1 << 40


def ready():
    print(os.getpid(), flush=True)


def wait():
    while True:
        time.sleep(1000)


# A name that looks like the end of the name and the state of an ended process
def name():
    memory = bytearray(b"x" * (8 << 20))
    libc.prctl(PR_SET_NAME, b"a) Z 1 (\n\x9b\xff", 0, 0, 0)
    ready()
    wait()
    return memory


# A mapped file whose name controls a terminal
def mapping(folder):
    path = os.path.join(os.fsencode(folder), b"x\x1b[2J\xc2\x9b2J\xe2\x80\xae\xff" + b"y" * 150)
    with open(path, "w+b") as file:
        file.write(b"x" * 8192)
        file.flush()
        memory = mmap.mmap(file.fileno(), 8192, mmap.MAP_PRIVATE)
        memory[0:1] = b"y"
    ready()
    wait()


# 80 TB of addresses with this number of pages
def reserve(pages):
    size = 80 * TERABYTE
    addr = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE,
                     mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    if addr == ctypes.c_void_p(-1).value:
        sys.exit("mmap")
    for i in range(int(pages)):
        ctypes.memset(addr + size - 1 - i * TERABYTE, 1, 1)
    ready()
    wait()


# The main thread exits, and another continues
def threads():
    threading.Thread(target=wait).start()
    ready()
    libc.syscall(SYS_EXIT, 0)


# Many children that live long enough to be found
def children(number):
    pids = []
    for _ in range(int(number)):
        pid = os.fork()
        if not pid:
            time.sleep(1000)
        pids.append(pid)
    time.sleep(40)
    for pid in pids:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


globals()[sys.argv[1]](*sys.argv[2:])
