import type { Page, WebSocket } from '@playwright/test';
import { KeysPage } from '../pages/keys';
import { LoginPage } from '../pages/login';
import { TimePage } from '../pages/time';
import { expect, test } from '../support/test';
import { TimeServer } from '../support/time-server';

// The overlap is long enough to see the old key in use on a busy machine.
test.use({ alone: true, settings: { 'keys.overlap': '12s' } });

let time: TimeServer;

test.beforeEach(async ({ server, watch }) => {
  // The first proof is refused with the nonce that it needs.
  watch.allowStatus(401);
  time = await TimeServer.beside(server);
});

test.afterEach(() => time.end());

/** Records every message of the page's sockets, as bytes. */
function record(page: Page): Buffer[] {
  const seen: Buffer[] = [];
  page.on('websocket', (socket: WebSocket) => {
    socket.on('framesent', ({ payload }) => seen.push(Buffer.from(payload)));
    socket.on('framereceived', ({ payload }) => seen.push(Buffer.from(payload)));
  });
  return seen;
}

test('a time server whose clock is wrong is explained, on the page and in its log', async ({ page, server }) => {
  await time.end();
  await time.run('+10m');
  await new LoginPage(page).signIn(await server.person());
  const view = new TimePage(page);
  await view.open();
  await view.connect.click();
  await expect(view.panel).toContainText('one of their clocks is wrong');
  await expect(view.connect).toBeEnabled();
  await expect.poll(() => time.log).toContain('a ticket is out of its time');
});

test('the time ticks, and the wire carries nothing but ciphertext', async ({ page, server }) => {
  const wire = record(page);
  await new LoginPage(page).signIn(await server.person());
  const view = new TimePage(page);
  await view.open();
  await expect(view.clock).toHaveText(/--:--:--/);
  await view.start();
  await expect(view.clock).toHaveText(/\d\d:\d\d:\d\d\.\d{9}/);
  const first = await view.clock.textContent();
  await expect(view.clock).not.toHaveText(first ?? '');
  await expect(view.offset).toHaveText(/^[+-]?[\d.]+ m?s$/);
  await expect(view.trip).toHaveText(/^[\d.]+ m?s$/);
  await expect(view.panel).toContainText('Encrypted under version 1 of your key.');
  await expect(view.sent).toHaveText(/^(00 ){7}[0-9a-f]{2} /);
  await expect(view.received).toHaveText(/^(00 ){7}[0-9a-f]{2} /);

  await view.disconnect.click();
  await expect(view.connect).toBeVisible();
  const sealed = wire.slice(2);
  expect(sealed.length).toBeGreaterThan(3);
  const year = new Date().getUTCFullYear().toString();
  for (const frame of sealed) {
    const text = frame.toString('latin1');
    for (const plain of ['time', 'command', 'answer', 'held_ns', `${year}-`]) expect(text).not.toContain(plain);
  }
  expect(wire.slice(0, 2).map((message) => Object.keys(JSON.parse(message.toString()) as object))).toEqual([
    ['server_random'],
    ['ticket', 'client_random', 'proof'],
  ]);
});

test('a new key takes over a running connection when the overlap ends', async ({ page, visit, server, watch }) => {
  // A ticket for the old version may be requested at the moment when it ends.
  watch.allowStatus(401, 410);
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  const view = new TimePage(page);
  await view.open();
  await view.start();
  await expect(view.panel).toContainText('version 1');

  const other = await visit();
  await new LoginPage(other).signIn(ada);
  const keys = new KeysPage(other);
  await keys.open();
  await keys.agree(keys.rotate, 'Create key');
  await expect(keys.card('Version 2')).toContainText('in use');

  await test.step('the connection goes on under the old one, and then under the new one', async () => {
    const before = await view.clock.textContent();
    await expect(view.clock).not.toHaveText(before ?? '');
    await expect(view.panel).toContainText('version 1');
    await expect(view.panel).toContainText('version 2 of your key', { timeout: 30_000 });
    await expect(view.said).toHaveText('Your key was replaced. The connection continues with the new one.');
    const after = await view.clock.textContent();
    await expect(view.clock).not.toHaveText(after ?? '');
  });
});

test('a time server that stops says so, and one that is not there too', async ({ page, server, watch }) => {
  watch.allowMessage(/WebSocket connection/);
  await new LoginPage(page).signIn(await server.person());
  const view = new TimePage(page);
  await view.open();
  await view.start();
  await expect(view.clock).toHaveText(/\d\d:\d\d:\d\d/);
  await time.end();
  await expect(view.said).toHaveText('The time server is shutting down. Connect again in a moment.');
  await view.connect.click();
  await expect(view.said).toHaveText('The time server does not answer. Try again.');
  await time.run();
  await view.start();
  await expect(view.clock).toHaveText(/\d\d:\d\d:\d\d\.\d{9}/);
});

test('only this page may reach the time server', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  for (const [path, may] of [['/dashboard/time', true], ['/dashboard/keys', false], ['/dashboard', false]] as const) {
    const policy = (await page.goto(path))?.headers()['content-security-policy'] ?? '';
    expect(policy.includes(`connect-src 'self' ws://localhost:${time.port};`), path).toBe(may);
  }
});
