import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from '@playwright/test';
import { blocks } from './blocks';
import { certify } from './proxy';

// Apps of other projects that sign people in, with the settings of their pages in docs/clients.

/** The secret of every client here, and its form in `[[clients]]`. */
export const SECRET = randomBytes(32).toString('base64url');
const HASH = createHash('sha256').update(SECRET).digest('base64url');

/** Texts of a page, and their replacements in a test. */
export type Replacements = Record<string, string>;

/** Returns the blocks of a page in one language, with the replacements. Each text must occur at least once. */
export function settingsOf(page: string, language: string, replacements: Replacements): string[] {
  const texts = blocks(readFileSync(join(__dirname, '../../docs/clients', page), 'utf8')).filter((block) => block.language === language);
  if (texts.length === 0) throw new Error(`${page} has no ${language}`);
  for (const from of Object.keys(replacements)) {
    if (!texts.some(({ text }) => text.includes(from))) throw new Error(`${page} says nowhere "${from}"`);
  }
  return texts.map(({ text }) => Object.entries(replacements).reduce((done, [from, to]) => done.replaceAll(from, to), text));
}

/** Returns the clients of a page as values of the setting `clients`, for an app at another origin. */
export function registrations(page: string, app: string): string[] {
  const texts = settingsOf(page, 'toml', {}).map((text) => text.replaceAll('https://app.example.com', app).replace('SHA-256 of the secret, base64url', HASH));
  return texts.map((text) => `{ ${text.split('\n').filter((line) => line.includes(' = ')).join(', ')} }`);
}

const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<unknown>;

/** The place in a page's code at which the person is at the sign-in page. */
const BACK = '// After the person has come back to `current`:';

/**
 * Runs a page's code, and returns some of its variables. `given`: what the code uses. `visit` gets its `url` for the
 * person, and returns the URL at which the person has come back.
 */
export async function runCode<T>(code: string, given: Record<string, unknown>, visit: (url: URL) => Promise<URL>, results: (keyof T & string)[]): Promise<T> {
  if (!code.includes(BACK)) throw new Error(`the code says nowhere "${BACK}"`);
  const body = `${code.replace(BACK, 'const current = await visit(url);')}\nreturn { ${results.join(', ')} };`;
  const values = { ...given, visit };
  return (await new AsyncFunction(...Object.keys(values), body)(...Object.values(values))) as T;
}

/** A folder with a certificate for `localhost`, which is its own authority. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'postern-peer-'));
  readonly certificate = join(this.path, 'fullchain.pem');
  readonly key = join(this.path, 'key.pem');

  constructor() {
    certify(this.path, ['localhost']);
  }

  write(name: string, text: string): string {
    writeFileSync(join(this.path, name), text, { mode: 0o600 });
    return join(this.path, name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Programs end with their tests, even if those end abnormally. Each has a process group of its own, with its children.
 */
const running = new Set<ChildProcess>();
const signal = (child: ChildProcess, name: NodeJS.Signals) => {
  try {
    if (child.pid) process.kill(-child.pid, name);
  } catch {
    // It has ended already.
  }
};
process.once('exit', () => running.forEach((child) => signal(child, 'SIGKILL')));

/** A running program of another project. */
export class Peer {
  log = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
  }

  /** Resolves when the program accepts connections on this port of the loopback, or on this socket. */
  static async start(command: [string, ...string[]], at: number | string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Peer> {
    const child = launch(command, cwd, env);
    const peer = new Peer(child);
    await expect.poll(async () => !running.has(child) || (await listens(at)), { intervals: [50], timeout: 30_000 }).toBe(true);
    if (!running.has(child)) throw new Error(`${command[0]} has ended: ${peer.log}`);
    return peer;
  }

  /** Starts a program that ends by itself. */
  static run(command: [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv = {}): Peer {
    return new Peer(launch(command, cwd, env));
  }

  /** Resolves with the exit code when the program has ended. */
  async ended(): Promise<number | null> {
    if (running.has(this.child)) await new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    return this.child.exitCode;
  }

  async end(): Promise<void> {
    if (!running.has(this.child)) return;
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    signal(this.child, 'SIGTERM');
    const killTimer = setTimeout(() => signal(this.child, 'SIGKILL'), 4_000);
    await gone;
    clearTimeout(killTimer);
    // Ends children that their parent has left.
    signal(this.child, 'SIGKILL');
  }
}

function launch([program, ...args]: [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv): ChildProcess {
  const path = `${join(__dirname, '../node_modules/.bin')}:${join(__dirname, '../.venv/bin')}:${process.env.PATH}:/usr/sbin:/sbin`;
  const environment = { PATH: path, HOME: cwd, CLIENT_SECRET: SECRET, ...env };
  const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  running.add(child);
  child.once('exit', () => running.delete(child)).once('error', () => running.delete(child));
  return child;
}

function listens(at: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false)).once('connect', () => socket.destroy());
  });
}

/** Terminates TLS in front of an app: forwards `https://localhost:FROM` to `http://127.0.0.1:TO`. */
export class Terminator {
  private constructor(private readonly server: TcpServer) {}

  static async start(from: number, to: number, folder: Folder): Promise<Terminator> {
    const server = createTlsServer({ cert: readFileSync(folder.certificate), key: readFileSync(folder.key) }, (socket) => {
      const app = connect(to, '127.0.0.1');
      socket.pipe(app).pipe(socket);
      for (const end of [socket, app]) end.on('error', () => (socket.destroy(), app.destroy()));
      for (const end of [socket, app]) end.on('close', () => (socket.destroy(), app.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(from, 'localhost', resolve));
    return new Terminator(server);
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }
}
