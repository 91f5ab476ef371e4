import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LoginPage } from '../pages/login';
import { registrations, SECRET, settingsOf } from '../support/relying-party';
import { environment, freePort } from '../support/server';
import { expect, test as base } from '../support/test';

// A program in Rust whose code is that of its page. `tools/test.sh` builds it, in a workspace of its own.

const PAGE = 'openidconnect.md';
const SOURCE = join(__dirname, '../../examples/openid-app/src/main.rs');

const test = base.extend<{}, { appPort: number }>({
  appPort: [async ({}, use) => use(await freePort()), { scope: 'worker' }],
  settings: async ({ appPort }, use) => use({ clients: `[${registrations(PAGE, `http://localhost:${appPort}`).join(', ')}]` }),
});

function program(): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(__dirname, '../../target');
  const path = process.env.OPENID_APP_BIN ?? join(target, 'openid-app/debug/openid-app');
  if (!existsSync(path)) throw new Error('OPENID_APP_BIN names no program: run the tests with `make test`');
  return path;
}

test('openidconnect signs a person in, reads userinfo and refreshes', async ({ server, page, appPort, watch }) => {
  const [code = ''] = settingsOf(PAGE, 'rust', {});
  const indented = code.replaceAll(/^(?=.)/gm, '    ');
  expect(readFileSync(SOURCE, 'utf8'), 'the program is the code of the page').toContain(indented);

  const app = `http://localhost:${appPort}`;
  watch.allowOrigin(app);
  const listener = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><h1>App</h1>'));
  await new Promise<void>((resolve) => listener.listen(appPort, '127.0.0.1', resolve));
  const env = { ...environment(), ISSUER: server.origin, CLIENT_SECRET: SECRET, REDIRECT_URI: `${app}/callback` };
  const child = spawn(program(), { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const first = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => (lines.push(line), resolve()));
    void ended.then(() => resolve());
  });
  try {
    await first;
    expect(lines[0], errors).toContain(`${server.origin}/oauth/authorize?`);
    const person = await server.person();
    await page.goto(lines[0] ?? '');
    const login = new LoginPage(page);
    await login.alive();
    await login.fill(person);
    await login.button.click();
    await page.waitForURL(`${app}/callback?**`);
    child.stdin.end(`${page.url()}\n`);
    expect(await ended, errors).toBe(0);
    expect(lines[1]).toBe(person.name);
    expect(lines[2]).toMatch(/^renewed for \d+ seconds$/);
  } finally {
    child.kill('SIGKILL');
    await new Promise((resolve) => listener.close(resolve));
  }
});
