"""Memory and open files of the programs, measured while they run."""

import os
import threading

from journal import Journal

# Far above the load's normal use, and far below a leak of ten minutes.
MEMORY_MIB = 768
FILES = 800


class Watch:
    def __init__(self, journal: Journal, programs: dict):
        self.journal, self.programs = journal, programs
        self.most: dict[str, tuple[int, int]] = dict.fromkeys(programs, (0, 0))
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.over.wait(1):
            for name, program in self.programs.items():
                try:
                    self._look(name, program.process.pid)
                except (OSError, AttributeError, ValueError):
                    pass

    def _look(self, name: str, pid: int) -> None:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))
        files = len(os.listdir(f"/proc/{pid}/fd"))
        memory_before, files_before = self.most[name]
        self.most[name] = (max(memory_before, resident), max(files_before, files))

    def end(self) -> None:
        self.over.set()
        self.thread.join()
        for name, (memory, files) in self.most.items():
            print(f"{name}: at most {memory} MiB of memory and {files} open files")
            if memory > MEMORY_MIB or files > FILES:
                self.journal.violation(f"{name} used {memory} MiB of memory and {files} open files")
