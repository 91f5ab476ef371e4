import type { Page, Request } from '@playwright/test';
import { BannedPage } from '../pages/banned';
import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { newPassword, type Person } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test.use({ alone: true });

/** A login, as an attacker between browser and server sees it. */
interface Captured {
  body: string;
  headers: Record<string, string>;
}

async function capture(page: Page, person: Person): Promise<Captured> {
  const login = new LoginPage(page);
  await login.open();
  const [request] = await Promise.all([page.waitForRequest('**/api/login'), login.submit(person)]);
  await (await request.response())?.finished();
  return { body: request.postData() ?? '', headers: await sent(request) };
}

async function sent(request: Request): Promise<Record<string, string>> {
  const headers = await request.allHeaders();
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':') && name !== 'host' && name !== 'content-length'));
}

test('the same login again is refused once as a slip, and then as an attack', async ({ page, server, watch }) => {
  const ada = await server.person();
  const captured = await capture(page, ada);
  expect(captured.headers['cookie']).toContain('__Host-postern-login=');
  expect(captured.headers['dpop']).toBeTruthy();
  await page.waitForURL(at('/dashboard'));

  const again = () => new Client(server).request('POST', '/api/login', captured);
  const slip = await again();
  expect([slip.status, slip.json.code, slip.cookies]).toEqual([409, 'already_received', []]);
  expect((await server.command(['ban', 'list'])).stdout, 'a browser that sent twice is no attack').toBe('');

  const attack = await again();
  expect([attack.status, attack.json.code, attack.cookies]).toEqual([403, 'short_key_replayed', []]);
  watch.allowStatus(403);
  // A signed-in person stays signed in; a stranger at this address does not.
  await page.context().clearCookies();
  await page.reload();
  await expect(new BannedPage(page).heading).toBeVisible();
  expect((await server.command(['ban', 'list'])).stdout).toContain('127.0.0.1\teverything');
});

test('from elsewhere it is an attack at once, and its victim notices nothing', async ({ page, server }) => {
  const captured = await capture(page, await server.person());
  const thief = new Client(server, '127.0.0.2');
  const answer = await thief.request('POST', '/api/login', captured);
  expect([answer.status, answer.json.code, answer.cookies]).toEqual([403, 'short_key_replayed', []]);
  expect((await thief.get('/api/challenge')).json.code).toBe('banned');
  await page.waitForURL(at('/dashboard'));
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Overview');
});

test('a login that failed cannot be sent again either', async ({ page, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  const captured = await capture(page, { ...ada, password: newPassword() });
  await expect(new LoginPage(page).button).toBeEnabled();
  const answer = await new Client(server).request('POST', '/api/login', captured);
  expect([answer.status, answer.json.code]).toEqual([409, 'already_received']);
});

test('without the proof, the cookie or the browser that made it, an unused login is worth nothing', async ({ page, server, watch }) => {
  watch.allowMessage(/net::ERR_FAILED/);
  const ada = await server.person();
  const login = new LoginPage(page);
  await login.open();
  // An attacker takes the message before it arrives.
  let taken: Captured | undefined;
  await page.route('**/api/login', async (route) => {
    taken = { body: route.request().postData() ?? '', headers: await sent(route.request()) };
    await route.abort();
  });
  await login.submit(ada);
  await expect(login.alert).toContainText('This site did not answer.');
  if (!taken) throw new Error('nothing was sent');
  const { body, headers } = taken;
  const { dpop: _dpop, ...unproven } = headers;
  const { cookie: _cookie, ...elsewhere } = headers;

  const program = new Client(server, '127.0.0.3');
  const answer = await program.request('POST', '/api/login', { body, headers: elsewhere });
  expect([answer.status, answer.json.code]).toEqual([400, 'short_key_mismatch']);
  const asProgram = JSON.stringify({ ...JSON.parse(body), delivery: 'body' });
  const second = await program.request('POST', '/api/login', { body: asProgram, headers: { 'content-type': 'application/json' } });
  expect([second.status, second.json.code]).toEqual([400, 'short_key_mismatch']);

  const third = await new Client(server, '127.0.0.4').request('POST', '/api/login', { body, headers: { ...unproven, cookie: headers['cookie'] ?? '' } });
  expect([third.status, third.json.code, third.cookies]).toEqual([401, 'bad_proof', []]);
});

test('of many copies that arrive together one is judged', async ({ server }) => {
  const ada = await server.person();
  const client = new Client(server, '127.0.0.5');
  const body = client.seal(await client.challenge(), { username: ada.name, password: ada.password });
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.post('/api/login', body)));
  const codes = answers.map((answer) => answer.json.code ?? 'signed in');
  expect(codes.filter((code) => code === 'signed in')).toHaveLength(1);
  expect(codes.filter((code) => code === 'already_received').length).toBeLessThanOrEqual(1);
  expect(codes.every((code) => ['signed in', 'already_received', 'short_key_replayed', 'banned'].includes(code)), codes.join()).toBe(true);
});

test.describe('what is taken from one envelope into another', () => {
  test('spoils it', async ({ server }) => {
    const ada = await server.person();
    const credentials = { username: ada.name, password: ada.password };
    let last = 9;
    const refused = async (spoil: (client: Client) => Promise<object>) => {
      const client = new Client(server, `127.0.0.${(last += 1)}`);
      const answer = await client.post('/api/login', await spoil(client));
      return [answer.status, answer.json.code];
    };
    const bad = [400, 'bad_envelope'];

    expect(await refused(async (client) => ({ ...client.seal(await client.challenge(), credentials), short_key: (await client.challenge()).short_key })), 'another short_key').toEqual(bad);
    const twists: Record<string, Record<string, unknown>> = {
      'another origin': { org: 'http://localhost:1' },
      'another key': { kid: 'x' },
      'another algorithm': { alg: 'RSA-OAEP' },
      'an older algorithm': { alg: 'RSA1_5' },
      'no wrapping': { alg: 'dir' },
      'another cipher': { enc: 'A128GCM' },
      compression: { zip: 'DEF' },
      'a critical extension': { crit: ['x'], x: 1 },
      'one key of two': { jwk: { crv: 'P-256', kty: 'EC', x: 'eA', y: 'eQ' } },
    };
    for (const [what, header] of Object.entries(twists)) {
      expect(await refused(async (client) => client.seal(await client.challenge(), credentials, undefined, { header })), what).toEqual(bad);
    }
    expect(await refused(async (client) => client.seal(await client.challenge(), credentials, undefined, { type: 'signup+jwe' })), 'another kind').toEqual(bad);
    expect(await refused(async (client) => client.seal(await client.challenge(), { ...credentials, other: 'x' })), 'another content').toEqual(bad);
    expect(await refused(async (client) => client.seal(await client.challenge(), [])), 'no content').toEqual(bad);

    // One bit is changed in each part of the message.
    for (let part = 0; part < 5; part += 1) {
      const flipped = async (client: Client) => {
        const body = client.seal(await client.challenge(), credentials);
        const parts = body.encrypted_username_password.split('.').map((text) => Buffer.from(text, 'base64url'));
        const bytes = parts[part] ?? Buffer.alloc(0);
        const at = Math.floor(bytes.length / 2);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return { ...body, encrypted_username_password: parts.map((one) => one.toString('base64url')).join('.') };
      };
      expect(await refused(flipped), `a bit of part ${part}`).toEqual(bad);
    }

    const client = new Client(server, `127.0.0.${(last += 1)}`);
    expect((await client.login(ada)).status, 'and unspoilt it opens').toBe(200);
  });
});
