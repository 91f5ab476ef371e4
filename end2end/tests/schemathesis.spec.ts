import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../support/client';
import { environment, type Server } from '../support/server';
import { expect, test } from '../support/test';

// Requests that schemathesis makes from the OpenAPI document, valid and invalid ones, and answers that it checks by it:
// no server error, no status, media type, header or body that is not described, invalid data refused, valid data
// accepted, 405 for other methods.

/** An address that nothing else uses: bans and operators' decisions on it do not affect this machine. */
const ADDRESS = '203.0.113.77';
/** Operations that would end the session of the request, or ban its address. They are tried without a session. */
const HARMFUL = ['logout', 'endSession', 'disallow', 'revokeServerKey', 'signOutForApp'];

test.use({
  alone: true,
  settings: {
    trusted_proxies: '["127.0.0.1"]',
    apps: '[{ name = "wiki", origin = "https://wiki.example.com" }]',
    'session.access': '10m',
    'ban.limits.per_minute': '1000000',
    'ban.limits.at_once': '100000',
  },
});
test.describe.configure({ timeout: 120_000 });

const PROXY = { 'x-forwarded-for': ADDRESS };
const proxied = (server: Server, headers: Record<string, string> = {}) => new Client(server, '127.0.0.1', { ...PROXY, ...headers });

test.beforeEach(async ({ server }) => {
  const allowed = await server.command(['allow', 'add', ADDRESS, '--comment', 'tests']);
  expect(allowed.code, allowed.stderr).toBe(0);
});

test('for nobody, the document says what the server does', async ({ server }) => {
  const { tested } = await schemathesis(server, {}, '', []);
  expect(tested).toBeGreaterThan(60);
  expect((await proxied(server).get('/api/challenge')).status, 'the address is open').toBe(200);
});

test('for a program, the document says what the server does', async ({ server }) => {
  const root = await server.person('administrator');
  const token = String((await proxied(server).login(root)).json.tokens.access_token);
  const auth = `[auth.openapi.bearer]\nbearer = "${token}"`;
  const { tested } = await schemathesis(server, {}, auth, HARMFUL);
  expect(tested).toBeGreaterThan(56);
  expect((await proxied(server, { authorization: `Bearer ${token}` }).get('/api/admin/users')).status, 'it is signed in still').toBe(200);
});

test('for a browser, the document says what the server does', async ({ server }) => {
  const root = await server.person('administrator');
  const headers = { origin: server.origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
  const browser = proxied(server, headers);
  const challenge = await browser.get('/api/challenge');
  const body = { ...browser.seal(challenge.json, { username: root.name, password: root.password }), delivery: 'cookies' };
  const login = await browser.post('/api/login', body, { cookie: String(challenge.cookies[0]).split(';')[0] ?? '' });
  const access = String(login.cookies.find((line) => line.includes('-access='))).split(';')[0] ?? '';
  const auth = `[auth.openapi.cookie]\napi_key = "${access.slice(access.indexOf('=') + 1)}"`;
  const { tested } = await schemathesis(server, headers, auth, HARMFUL);
  expect(tested).toBeGreaterThan(56);
  expect((await proxied(server, { ...headers, cookie: access }).get('/api/admin/users')).status, 'it is signed in still').toBe(200);
});

/** Runs it, and fails the test with its findings. Returns the number of tested operations. */
async function schemathesis(server: Server, headers: Record<string, string>, auth: string, without: string[]): Promise<{ tested: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-schemathesis-'));
  try {
    const common = await readFile(join(__dirname, '../support/schemathesis.toml'), 'utf8');
    const all = Object.entries({ ...PROXY, ...headers }).map(([name, value]) => `"${name}" = "${value}"`);
    const off = without.map((id) => `[[operations]]\ninclude-operation-id = "${id}"\nenabled = false`);
    // With a session, garbage in place of other credentials would seem to be accepted.
    const plain = auth ? common.replace('[generation]', '[generation]\nwith-security-parameters = false') : common;
    await writeFile(join(folder, 'schemathesis.toml'), [plain, `[headers]\n${all.join('\n')}`, auth, ...off].join('\n\n'));
    const child = spawn(
      join(__dirname, '../.venv/bin/python'),
      ['-m', 'schemathesis.cli', '--no-color', 'run', `${server.origin}/api/openapi.json`, '--checks', 'all'],
      { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    // A test that exceeds its time leaves no process.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    expect(code, said).toBe(0);
    return { tested: Number(/Tested: (\d+)/.exec(said)?.[1]) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
