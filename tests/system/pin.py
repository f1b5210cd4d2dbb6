# SPDX-License-Identifier: GPL-2.0
#
# Allocate 4 MiB and print the range.  After a line of input, hold some of its pages like an I/O that
# does not end, until the input ends.
import ctypes
import mmap
import os
import sys


class Range(ctypes.Structure):
    _fields_ = [("addr", ctypes.c_void_p), ("length", ctypes.c_size_t)]


libc = ctypes.CDLL(None, use_errno=True)
memory = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
# Keep the mapping separate from adjacent ones.
memory.madvise(mmap.MADV_NOHUGEPAGE)
memory[:] = b"x" * len(memory)
addr = ctypes.addressof(ctypes.c_char.from_buffer(memory))
print("%x-%x" % (addr, addr + len(memory)), flush=True)
sys.stdin.readline()
out, into = os.pipe()
if libc.vmsplice(into, ctypes.byref(Range(addr, 4 * 4096)), 1, 0) != 4 * 4096:
    sys.exit(os.strerror(ctypes.get_errno()))
print("held", flush=True)
sys.stdin.readline()
sys.exit(os.read(out, 4 * 4096) != b"x" * (4 * 4096) or memory[:] != b"x" * len(memory))
