import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Chain } from './chain';
import { environment, freePort, program } from './server';

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** The paid gate in front of a program on this machine. */
export class Gate {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly origin: string,
  ) {}

  /** Starts it. `routes`: the settings of the routes. */
  static async start(chain: Chain, routes: string): Promise<Gate> {
    const folder = await mkdtemp(join(tmpdir(), 'postern-gate-'));
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const { node, merchant_address: primary, merchant_view_key: key } = chain.world;
    await writeFile(join(folder, 'view.key'), key, { mode: 0o600 });
    const addresses = `primary_address = '${primary}'\nview_key_file = '${join(folder, 'view.key')}'\n`;
    const listens = `listen = '127.0.0.1:${port}'\npublic_url = '${origin}'\nmonerod = ['${node}']\n`;
    await writeFile(join(folder, 'postern.toml'), `[toll]\n${listens}${addresses}${routes}`);
    const child = spawn(program(), ['toll', 'run', '--data-dir', join(folder, 'data')], {
      cwd: folder,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the gate ended with ${code}: ${log}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('The gate listens')) resolve();
      });
    });
    return new Gate(child, folder, origin);
  }

  async remove(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill('SIGTERM');
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}
