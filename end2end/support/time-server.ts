import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environment, freePort, program, type Server } from './server';

/** Of the package libfaketime. */
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A running time server, registered at a portal. */
export class TimeServer {
  log = '';
  private process: ChildProcess | undefined;

  private constructor(
    private readonly portal: Server,
    readonly port: number,
    readonly tcp: number,
  ) {}

  /** Starts one beside a portal, and restarts the portal with its address. */
  static async beside(portal: Server): Promise<TimeServer> {
    const server = new TimeServer(portal, await freePort(), await freePort());
    await server.run();
    const registered = await portal.command(['service', 'add', 'time', '--key', join(portal.dataDir, 'time-server.jwk')]);
    if (registered.code !== 0) throw new Error(`the time server is not registered: ${registered.stderr}`);
    const { port, tcp } = server;
    await portal.restart({ 'time.url': `ws://localhost:${port}/time`, 'time.tcp': `localhost:${tcp}` });
    return server;
  }

  /** Starts the program. `clock`: how far its clock is ahead, such as `+10m`. */
  async run(clock?: string): Promise<void> {
    const { dataDir, origin } = this.portal;
    const args = ['time-server', '--listen', `127.0.0.1:${this.port}`, '--tcp', `127.0.0.1:${this.tcp}`, '--issuer', origin];
    const child = spawn(program(), [...args, '--set', `key=${join(dataDir, 'time-server.key')}`], {
      cwd: dataDir,
      env: clock ? { ...environment(), LD_PRELOAD: FAKETIME, FAKETIME: clock } : environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    child.stderr.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the time server ended with ${code}: ${this.log}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('Its public key')) resolve();
      });
    });
  }

  async end(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    await gone;
  }
}
