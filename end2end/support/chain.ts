import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')));

interface World {
  node: string;
  payer: string;
  merchant_address: string;
  merchant_view_key: string;
}

/** A private Monero network: a node, and a wallet that pays. */
export class Chain {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
    readonly world: World,
  ) {}

  static async start(): Promise<Chain> {
    const path = process.env.REGTEST_BIN;
    if (!path || !existsSync(path)) throw new Error('REGTEST_BIN names no program: run the tests with `make test`');
    const child = spawn(path, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const lines = createInterface({ input: child.stdout });
    const world = await new Promise<World>((resolve, reject) => {
      lines.once('line', (line) => resolve(JSON.parse(line) as World));
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the chain ended with ${code}`)));
    });
    return new Chain(child, lines, world);
  }

  /** Pays an amount in XMR, with at most twelve decimals. */
  async pay(address: string, xmr: string): Promise<void> {
    const [whole = '0', fraction = ''] = xmr.split('.');
    const amount = Number(whole) * 1e12 + Number(fraction.padEnd(12, '0'));
    await this.wallet('refresh', {});
    await this.wallet('transfer', { destinations: [{ address, amount }], account_index: 0, priority: 0 });
  }

  /** Makes a block. */
  async mine(): Promise<void> {
    const mined = new Promise<void>((resolve) => this.lines.once('line', () => resolve()));
    this.child.stdin?.write('1\n');
    await mined;
  }

  async stop(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.stdin?.end();
    await gone;
  }

  private async wallet(method: string, params: object): Promise<void> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: '0', method, params });
    const answer = await fetch(`${this.world.payer}/json_rpc`, { method: 'POST', body });
    const { error } = (await answer.json()) as { error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
  }
}
