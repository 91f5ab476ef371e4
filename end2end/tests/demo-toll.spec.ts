import { readdir, readFile } from 'node:fs/promises';
import { freePort, type Server } from '../support/server';
import { Machine } from '../support/terminal';
import { expect, test as base } from '../support/test';

const test = base.extend<{ price: string; machine: Machine }, { ports: [number, number, number, number] }>({
  ports: [async ({}, use) => use([await freePort(), await freePort(), await freePort(), await freePort()]), { scope: 'worker' }],
  price: async ({ ports }, use) => use(`http://127.0.0.1:${ports[3]}/price`),
  settings: async ({ ports: [time, tcp, app, gate] }, use) =>
    use({
      trusted_proxies: '["127.0.0.1"]',
      'time.url': `ws://localhost:${time}/time`,
      'time.tcp': `localhost:${tcp}`,
      apps: `[{ name = "hello", origin = "http://hello.localhost:${app}" }]`,
      'toll.listen': `127.0.0.1:${gate}`,
    }),
  machine: async ({}, use) => {
    const machine = await Machine.make();
    await use(machine);
    await machine.remove();
  },
});

test.use({ verb: 'demo --toll' });

/** Returns the command lines of programs that were started with this folder. */
async function programsIn(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // A process may end while its file is read.
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(folder));
}

/** Calls the payer's wallet, as its owner would. */
async function wallet<T>(server: Server, method: string, params: object): Promise<T> {
  const address = /--wallet (\S+)/.exec(server.greeting.join('\n'))![1];
  const answer = await fetch(`${address}/json_rpc`, { method: 'POST', body: JSON.stringify({ method, params }) });
  return ((await answer.json()) as { result: T }).result;
}

test('one command shows a price behind the gate, and a wallet that can pay it', async ({ server, page, price, machine, watch }) => {
  watch.allowOrigin(new URL(price).origin);
  // The page of a paid route, and the favicon that browsers request.
  watch.allowStatus(402, 404);
  await test.step('in a browser it says what it costs, and opens for a transaction and its proof', async () => {
    expect((await page.goto(price))?.status()).toBe(402);
    // After the gate has read the chain once, its page shows payments.
    await expect(async () => {
      await page.reload();
      await expect(page.getByText('Waiting for your payment.')).toBeVisible({ timeout: 500 });
    }).toPass();
    await page.getByRole('link', { name: 'Paste it' }).click();
    await expect(page.getByRole('heading', { name: 'This page costs 0.002 XMR' })).toBeVisible();
    const [address, message] = await page.locator('code').allTextContents();
    await wallet(server, 'refresh', {});
    const paid = await wallet<{ tx_hash: string }>(server, 'transfer', { destinations: [{ address, amount: 2_000_000_000 }] });
    const proof = await wallet<{ signature: string }>(server, 'get_tx_proof', { txid: paid.tx_hash, address, message });
    await page.getByLabel('Transaction ID').fill(paid.tx_hash);
    await page.getByLabel('Proof').fill(proof.signature);
    await page.getByRole('button', { name: 'Open the page' }).click();
    await expect(page.getByText('XMR/EUR')).toBeVisible();
  });

  await test.step('the commands that it prints buy the price', async () => {
    const printed = server.greeting.filter((line) => /^ {2}\S*postern-client /.test(line));
    expect(printed).toHaveLength(2);
    // A shell finds the client as it is printed, or a line says that it is missing.
    const missing = server.greeting.some((line) => line.includes('is not on the PATH'));
    expect((await machine.shell(printed[0]!)).code).toBe(missing ? 127 : 0);
    const [set, get] = printed.map((line) => line.trim().split(' ').slice(1));
    expect((await machine.run(set!)).code).toBe(0);
    const bought = await machine.run(get!);
    expect(bought.code, bought.stderr).toBe(0);
    expect(bought.stdout).toContain('XMR/EUR');
    expect((await machine.run(get!)).stdout).toContain('XMR/EUR');
  });

  await test.step('what came in is on the operator\'s list, and goes on after a restart', async () => {
    const tokens = async () => JSON.parse((await server.command(['toll', 'tokens', '--json'])).stdout) as unknown[];
    expect(await tokens()).toHaveLength(2);
    await server.restart();
    expect((await machine.run(['get', price])).stdout).toContain('XMR/EUR');
    expect(await tokens()).toHaveLength(2);
  });

  await test.step('and nothing is left behind', async () => {
    expect(await programsIn(server.dataDir)).not.toEqual([]);
    await server.end();
    expect(await programsIn(server.dataDir)).toEqual([]);
  });
});
