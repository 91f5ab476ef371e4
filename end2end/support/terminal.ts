import { spawn as spawnPiped } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type IPty } from '@lydell/node-pty';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const TIMEOUT = 20_000;

/** Keys as a terminal sends them. */
export const ENTER = '\r';
export const DOWN = '\x1b[B';
export const UP = '\x1b[A';
export const CTRL_C = '\x03';

/** One person's machine: a home folder of its own, without a keyring. */
export class Machine {
  private constructor(readonly home: string) {}

  static async make(): Promise<Machine> {
    return new Machine(await mkdtemp(join(tmpdir(), 'postern-terminal-')));
  }

  async remove(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }

  /** Runs the client in a pipe, without a terminal. */
  run(args: string[], input = ''): Promise<Ended> {
    return this.pipe(program(), args, input);
  }

  /** Runs a line in the shell, with the client as `$0`. */
  shell(line: string): Promise<Ended> {
    return this.pipe('sh', ['-c', line, program()], '');
  }

  /** Starts the client at a terminal. */
  terminal(args: string[]): Terminal {
    return this.at(program(), args);
  }

  /** Starts a shell at the terminal, with the client as `$0`. */
  terminalShell(line: string): Terminal {
    return this.at('sh', ['-c', line, program()]);
  }

  /** Returns the stored files by name. */
  async kept(): Promise<Map<string, { mode: number; text: string }>> {
    const folder = join(this.home, 'config', 'postern-client');
    const files = new Map<string, { mode: number; text: string }>();
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      files.set(name, { mode: (await stat(path)).mode & 0o777, text: await readFile(path, 'utf8') });
    }
    return files;
  }

  private at(command: string, args: string[]): Terminal {
    return new Terminal(spawn(command, args, { cwd: this.home, env: this.environment(), cols: 100, rows: 40 }));
  }

  private pipe(command: string, args: string[], input: string): Promise<Ended> {
    const child = spawnPiped(command, args, { cwd: this.home, env: this.environment() });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    // A command that needs no input may have ended before it is written.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  private environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      XDG_CONFIG_HOME: join(this.home, 'config'),
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(this.home, 'no-bus')}`,
      TERM: 'xterm-256color',
    };
  }
}

/** A program at a pseudo-terminal. */
export class Terminal {
  /** Its whole output, with escape codes. */
  shown = '';
  readonly ended: Promise<number>;
  /** Length of the output, without escape codes, that was already matched. */
  private seen = 0;
  private wake: () => void = () => {};

  constructor(private readonly pty: IPty) {
    pty.onData((data) => {
      this.shown += data;
      this.wake();
    });
    this.ended = new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  /** Waits for new output that matches. */
  async shows(what: RegExp): Promise<RegExpMatchArray> {
    const until = Date.now() + TIMEOUT;
    for (;;) {
      const fresh = plain(this.shown).slice(this.seen);
      const found = fresh.match(what);
      if (found) {
        this.seen += (found.index ?? 0) + found[0].length;
        return found;
      }
      const left = until - Date.now();
      if (left <= 0) throw new Error(`${what} did not come:\n${fresh}`);
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
  }

  type(keys: string): void {
    this.pty.write(keys);
  }

  line(text: string): void {
    this.type(`${text}${ENTER}`);
  }
}

/** Removes the codes for colours and the cursor. */
export function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '');
}

/** Returns the path of the client. */
export function program(): string {
  const path = process.env.POSTERN_CLIENT_BIN;
  if (!path || !existsSync(path)) throw new Error('POSTERN_CLIENT_BIN names no program: run the tests with `make test`');
  return path;
}
