import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, program, environment, type Server } from './server';

/** A running time server, registered at `server`, which names it to terminals. */
export class TimeServer {
  private log = '';

  private constructor(
    private readonly process: ChildProcess,
    readonly address: string,
  ) {
    process.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
  }

  static async start(server: Server): Promise<TimeServer> {
    const address = `127.0.0.1:${await freePort()}`;
    const place = { cwd: server.dataDir, env: environment() };
    const key = spawn(program(), ['time-server', 'key'], place);
    let jwk = '';
    key.stdout.on('data', (chunk: Buffer) => (jwk += chunk.toString()));
    await new Promise((resolve) => key.once('close', resolve));
    const file = join(server.dataDir, 'time.jwk');
    await writeFile(file, jwk);
    const added = await server.command(['service', 'add', 'time', '--key', file]);
    if (added.code !== 0) throw new Error(`no service: ${added.stderr}`);
    await server.restart({ 'time.tcp': address });

    const args = ['time-server', '--listen', '127.0.0.1:0', '--tcp', address, '--issuer', server.origin];
    const child = spawn(program(), args, { ...place, stdio: ['ignore', 'pipe', 'pipe'] });
    const time = new TimeServer(child, address);
    process.once('exit', () => child.kill('SIGKILL'));
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the time server ended with ${code}: ${time.log}`)));
      createInterface({ input: child.stdout }).on('line', (line) => / for terminals on /.test(line) && resolve());
    });
    return time;
  }

  async end(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.process.once('exit', () => resolve()));
    this.process.kill('SIGTERM');
    await gone;
    if (this.log.includes('panicked')) throw new Error(this.log);
  }
}
