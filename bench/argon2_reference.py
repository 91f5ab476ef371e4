"""Hashes per second of argon2's C reference on all cores, with Postern's parameters. Prints one number.

`tools/argon2-reference.sh` builds it for AVX2 into the folder that is named on the command line.
"""

import os
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])

from _argon2_cffi_bindings import ffi, lib  # noqa: E402

PASSES, KIB, LANES, ARGON2ID, VERSION = 2, 19_456, 1, 2, 0x13
PASSWORD, SALT, LENGTH = b"tadumi-verosa-kelunu-pidira", b"sixteen bytes of", 32


def hash_until(end: float, done: list[int]) -> None:
    output, count = ffi.new("uint8_t[]", LENGTH), 0
    while time.monotonic() < end:
        # cffi releases Python's lock, so that the threads hash at the same time.
        code = lib.argon2_hash(
            PASSES, KIB, LANES, PASSWORD, len(PASSWORD), SALT, len(SALT), output, LENGTH, ffi.NULL, 0, ARGON2ID, VERSION
        )
        if code != 0:
            sys.exit(f"argon2 failed: {code}")
        count += 1
    done.append(count)


def main() -> None:
    seconds, done = float(sys.argv[2]), []
    began = time.monotonic()
    threads = [
        threading.Thread(target=hash_until, args=(began + seconds, done)) for _ in range(len(os.sched_getaffinity(0)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(done) / (time.monotonic() - began))


if __name__ == "__main__":
    main()
