import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Settings = Record<string, string>;

/** The command that starts the portal: alone, or with everything that `postern demo` adds. */
export type Verb = 'serve' | 'demo' | 'demo --toll';

export interface Person {
  name: string;
  password: string;
}

/**
 * Settings of every server in the tests: cheap hashing, no second address, and a limit of many sign-ins a minute,
 * because all browsers here share one address. A test of any of these sets its own.
 */
const COMMON: Settings = {
  'password.memory_kib': '64',
  'password.passes': '1',
  'ban.limits.sign_in_per_minute': '6000',
  'operator.listen': 'off',
  'time.embedded': 'false',
};

/** Returns a password that is in no list. */
export function newPassword(): string {
  return `stone gate ${randomBytes(9).toString('base64url')} lantern`;
}

/** Servers end with their tests, even if those end abnormally. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

let people = 0;

export function newName(): string {
  people += 1;
  return `ada${people}`;
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A running server with a data folder of its own. */
export class Server {
  /** `http://localhost:PORT`, or the `public_url` of its settings: a proxy's. */
  readonly origin: string;
  /** The one-time link of the first start. */
  setupLink: string | undefined;
  /** Its whole output on standard error. */
  log = '';
  /** The lines that it prints at its start. */
  greeting: string[] = [];
  private process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly dataDir: string,
    private settings: Settings,
    private readonly logFile: WriteStream,
    private readonly verb: Verb,
    private readonly authority: string,
  ) {
    this.origin = settings.public_url ?? `http://localhost:${port}`;
  }

  /**
   * Starts it. `authority`: a file with a certificate that the server trusts for its own requests, in addition to those
   * of the system.
   */
  static async start(settings: Settings, logPath: string, verb: Verb = 'serve', authority = ''): Promise<Server> {
    const dataDir = await mkdtemp(join(tmpdir(), 'postern-end2end-'));
    const log = createWriteStream(logPath, { flags: 'a' });
    const server = new Server(await freePort(), dataDir, { ...COMMON, ...settings }, log, verb, authority);
    await server.run();
    return server;
  }

  /** Starts the program; resolves when it listens. */
  async run(): Promise<void> {
    const args = [...this.verb.split(' '), '--set', `listen=127.0.0.1:${this.port}`, '--set', `public_url=${this.origin}`];
    const env = { ...environment(), ...(this.authority ? { SSL_CERT_FILE: this.authority } : {}) };
    const child = spawn(program(), [...args, ...this.common()], { cwd: this.dataDir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    child.stderr.on('data', (chunk: Buffer) => {
      this.log += chunk.toString();
      this.logFile.write(chunk);
    });
    this.greeting = [];
    let listens = false;
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${this.log}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.greeting.push(line);
        this.logFile.write(`${line}\n`);
        if (/#code=/.test(line)) this.setupLink = line.trim();
        // The first start ends its output with the link.
        if (/^Postern listens on /.test(line)) listens = true;
        if (listens && this.setupLink) resolve();
      });
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.greeting.join('\n')}`);
    });
  }

  /** Ends the program as an operator would; resolves when it has ended. */
  async end(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const killTimer = setTimeout(() => child.kill('SIGKILL'), 4_000);
    await gone;
    clearTimeout(killTimer);
  }

  /** Starts another process on the same data, with other settings if given. */
  async restart(settings: Settings = {}): Promise<void> {
    await this.end();
    this.settings = { ...this.settings, ...settings };
    await this.run();
  }

  /** Ends the program and deletes its data. */
  async remove(): Promise<void> {
    await this.end();
    this.logFile.end();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Runs a command beside the server, as an operator does. */
  async command(args: string[], input = ''): Promise<Ended> {
    const child = spawn(program(), [...args, ...this.common()], { cwd: this.dataDir, env: environment() });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    // A command that needs no input may have ended before it is written.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, stdout, stderr };
  }

  /** Makes a new account with a name that no other test uses. */
  async person(role: 'user' | 'administrator' = 'user'): Promise<Person> {
    const person = { name: newName(), password: newPassword() };
    const added = await this.command(['user', 'add', person.name, '--role', role], `${person.password}\n`);
    if (added.code !== 0) throw new Error(`no account: ${added.stderr}`);
    return person;
  }

  /** Returns every file of the data folder, as bytes. */
  async data(): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    for (const entry of await readdir(this.dataDir, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile()) files.set(path, await readFile(path));
    }
    return files;
  }

  private common(): string[] {
    const settings = Object.entries(this.settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    return ['--data-dir', this.dataDir, ...settings];
  }
}

/** Returns the path of the program under test. */
export function program(): string {
  const path = process.env.POSTERN_BIN;
  if (!path || !existsSync(path)) throw new Error('POSTERN_BIN names no program: run the tests with `make test`');
  return path;
}

/** Returns an environment without the caller's own settings. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' };
}

/** A port that no outgoing connection takes while its program is down: it is below the ephemeral ports. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 20_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) {
      await new Promise((resolve) => probe.close(resolve));
      return port;
    }
  }
}
