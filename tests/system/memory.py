#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# memory.py [COMMAND...]: be a process with memory of known kinds.  It prints the address of 16
# pages: four that can be written, four that can only be read, four that can't be accessed, and four
# where nothing is mapped.  After each line of its input, it prints the 64-bit value at the first
# address.  At the end of its input it prints the digest of the first four pages, or executes
# the command.

import ctypes
import hashlib
import mmap
import os
import sys

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

memory = mmap.mmap(-1, 16 * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
view = ctypes.c_char.from_buffer(memory)
addr = ctypes.addressof(view)
for page in range(12):
    memory[page * PAGE:(page + 1) * PAGE] = b"%07d\n" % page * (PAGE // 8)
if libc.mprotect(addr + 4 * PAGE, 4 * PAGE, mmap.PROT_READ) or \
   libc.mprotect(addr + 8 * PAGE, 4 * PAGE, 0) or libc.munmap(addr + 12 * PAGE, 4 * PAGE):
    sys.exit("the memory can't be prepared")
print("%x" % addr, flush=True)
for line in sys.stdin:
    print(ctypes.c_uint64.from_address(addr).value, flush=True)
if sys.argv[1:]:
    os.execvp(sys.argv[1], sys.argv[1:])
print(hashlib.sha256(ctypes.string_at(addr, 4 * PAGE)).hexdigest(), flush=True)
# The pages that are gone must not be unmapped again.
os._exit(0)
