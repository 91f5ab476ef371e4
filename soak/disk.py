"""A small file system in memory, which can be filled."""

import errno
import os
import subprocess

MIB = 1 << 20


class SmallDisk:
    """A file system in a folder. Only root can have one; otherwise the folder stays as it is."""

    def __init__(self, folder: str, mib: int):
        self.folder, self.ballast = folder, os.path.join(folder, "ballast")
        os.makedirs(folder, mode=0o755, exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "tmpfs", folder]
        self.is_small = os.getuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        """Writes until nothing more fits."""
        file = os.open(self.ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for size in (MIB, 4096, 1):
                self._write(file, b"\0" * size)
        finally:
            os.close(file)

    @staticmethod
    def _write(file: int, data: bytes) -> None:
        try:
            while True:
                os.write(file, data)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def free(self) -> None:
        os.unlink(self.ballast)

    def end(self) -> None:
        if self.is_small and os.path.ismount(self.folder):
            # Lazily: a process that is still ending may have open files.
            subprocess.run(["umount", "--lazy", self.folder], check=False)
