import { connect } from 'node:net';
import { BannedPage } from '../pages/banned';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client, sameOrigin } from '../support/client';
import { Elsewhere } from '../support/elsewhere';
import { lift } from '../support/lift';
import { newPassword, type Server } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

test.use({ alone: true });

const FORGED = 'A'.repeat(204);

/** Causes a ban of the address of these tests' browsers. */
function forge(server: Server, address = '127.0.0.1') {
  return new Client(server, address).post('/api/login', { encrypted_username_password: 'a.b.c.d.e', short_key: FORGED });
}

test('a forged short_key closes everything, and the page says how long', async ({ page, server, watch }) => {
  await server.person();
  const answer = await forge(server);
  expect([answer.status, answer.json.code, answer.json.retry_after, answer.headers['retry-after']]).toEqual([403, 'short_key_forged', 60, '60']);

  watch.allowStatus(403);
  const banned = new BannedPage(page);
  for (const path of ['/login', '/dashboard', '/signup', '/resume', '/', '/nothing']) {
    const response = await page.goto(path);
    expect(response?.status(), path).toBe(403);
    await expect(banned.heading, path).toBeVisible();
  }
  await expect(banned.left).toHaveText(/^\d+ seconds$/);
  const before = Number.parseInt((await banned.left.textContent()) ?? '', 10);
  expect(before).toBeLessThanOrEqual(60);
  await expect(banned.left).not.toHaveText(`${before} seconds`);
  await expect(banned.incident).toHaveText(/^[0-9A-Z]{4}-[0-9A-Z]{2}$/);

  const listed = (await server.command(['ban', 'list'])).stdout;
  expect(listed).toContain('127.0.0.1\teverything');
  expect(listed).toContain((await banned.incident.textContent()) ?? 'none');

  await test.step('the page looks like the others, without their code', async () => {
    const card = page.locator('.card');
    expect(await card.evaluate((box) => getComputedStyle(box).borderTopLeftRadius)).toBe('16px');
    const box = await card.boundingBox();
    expect(box?.width).toBe(400);
    await expect(page.locator('svg.mark')).toBeVisible();
    expect(await page.content()).not.toContain('.wasm');
  });

  await test.step('an operator opens it', async () => {
    await lift(server);
    await new LoginPage(page).open();
  });
});

test('every path and method of the API is closed to strangers too, files and public documents are not', async ({ server }) => {
  const ada = await server.person();
  const client = new Client(server);
  const signedIn = (await client.login(ada)).json;
  const token = signedIn.tokens.access_token as string;
  const css = /\/pkg\/[^"]+\.css/.exec((await client.get('/login')).text)?.[0] ?? '';
  expect((await client.session(token)).status).toBe(200);
  await forge(server);

  const bearer = { authorization: `Bearer ${token}` };
  const closed = await Promise.all([
    client.get('/api/challenge'),
    client.get('/api/session'),
    client.get('/api/sessions'),
    client.post('/api/refresh', { refresh_token: signedIn.tokens.refresh_token }),
    client.post('/api/logout', {}),
    client.get('/api/openapi.json'),
    client.post('/.well-known/jwks.json', {}),
    client.get('/api/nothing'),
    client.request('OPTIONS', '/api/login'),
  ]);
  for (const answer of closed) {
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({ status: 403, code: 'banned', incident: expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{2}$/) });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  }
  expect((await client.get(css)).status).toBe(200);
  expect((await client.get('/.well-known/jwks.json')).status, 'apps need it').toBe(200);
  expect((await client.get('/api/session', bearer)).status, 'a live session stays in').toBe(200);
  expect((await new Client(server, '127.0.0.2').session(token)).status, 'from another address it is open').toBe(200);
});

test.describe('a short ban', () => {
  // Long enough to be seen on a busy machine.
  test.use({ settings: { 'ban.short_key.ladder': '["10s", "11s"]' } });
  const END = { timeout: 30_000 };

  test('ends, and the page opens by itself', async ({ page, server, watch }) => {
    await server.person();
    watch.allowStatus(403);
    await forge(server);
    await page.goto('/login');
    await expect(new BannedPage(page).heading).toBeVisible();
    await expect(page.locator('form[data-step=ready]')).toBeVisible(END);
  });

  test('is told by a form that was open before', async ({ page, server, watch }) => {
    const ada = await server.person();
    watch.allowStatus(403);
    const login = new LoginPage(page);
    await login.open();
    await forge(server);
    await login.submit(ada);
    await expect(login.alert).toContainText(/Your address is banned until \d{1,2}:\d\d/);
    await expect(login.alert).toContainText(/Incident [0-9A-Z]{4}-[0-9A-Z]{2}\./);
    await expect(login.button).toBeDisabled();
    await expect(login.button).toBeEnabled(END);
    await login.submit(ada);
    await page.waitForURL(at('/dashboard'));
  });
});

test('wrong passwords close sign-in and nothing else', async ({ page, server }) => {
  // The standard's two seconds may be over before all of this is seen.
  await server.restart({ 'ban.invalid_credentials.ladder': '["1m"]' });
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  const client = new Client(server);
  const wrong = await client.login({ ...ada, password: newPassword() });
  expect([wrong.status, wrong.json.code, wrong.json.retry_after]).toEqual([401, 'wrong_credentials', 60]);
  expect((await client.get('/api/challenge')).json).toMatchObject({ code: 'banned', status: 403 });
  expect((await server.command(['ban', 'list'])).stdout).toContain('127.0.0.1\tsign-in');

  await page.reload();
  await expect(new Dashboard(page).heading).toHaveText('Overview');
  expect((await client.get('/login')).status, 'the page itself stays, and counts down').toBe(200);
  expect((await new Client(server, '127.0.0.2').get('/api/challenge')).status).toBe(200);
});

test('each wrong password costs more, and the right one forgives', async ({ server }) => {
  const ada = await server.person();
  const client = new Client(server, '127.0.0.7');
  const waits: number[] = [];
  const guess = async (password: string) => {
    await expect.poll(async () => (await client.get('/api/challenge')).status, { timeout: 20_000 }).toBe(200);
    return client.login({ ...ada, password });
  };
  for (let time = 0; time < 2; time += 1) waits.push((await guess(newPassword())).json.retry_after);
  expect(waits).toEqual([2, 5]);
  expect((await guess(ada.password)).status).toBe(200);
  expect((await guess(newPassword())).json.retry_after).toBe(2);
});

test('guesses that arrive together get one try', async ({ server }) => {
  const ada = await server.person();
  const client = new Client(server, '127.0.0.8');
  const bodies = [];
  for (let guess = 0; guess < 9; guess += 1) {
    bodies.push(client.seal(await client.challenge(), { username: ada.name, password: newPassword() }));
  }
  const answers = await Promise.all(bodies.map((body) => client.post('/api/login', body)));
  const judged = answers.filter((answer) => answer.json.code !== 'banned');
  expect(judged.length).toBe(1);
});

test('five names that fail are an attack on all of them', async ({ server }) => {
  await server.restart({ 'ban.invalid_credentials.ladder': '["1ms"]' });
  const client = new Client(server, '127.0.0.9');
  const codes: string[] = [];
  for (let name = 0; name < 5; name += 1) {
    await expect.poll(async () => (await client.get('/api/challenge')).status).toBe(200);
    codes.push((await client.login({ name: `nobody${name}`, password: newPassword() })).json.code);
  }
  expect(codes).toEqual([...Array<string>(4).fill('wrong_credentials'), 'banned']);
  expect((await client.get('/login')).status).toBe(403);
});

test('three envelopes that do not open close sign-in', async ({ server }) => {
  const client = new Client(server, '127.0.0.10');
  const codes: string[] = [];
  for (let time = 0; time < 3; time += 1) {
    const body = client.seal(await client.challenge(), {}, undefined, { header: { org: 'http://elsewhere.example' } });
    codes.push((await client.post('/api/login', body)).json.code);
  }
  expect(codes).toEqual(['bad_envelope', 'bad_envelope', 'bad_envelope']);
  expect((await client.get('/api/challenge')).json.code).toBe('banned');
  expect((await client.get('/login')).status).toBe(200);
});

test.describe('the strict preset', () => {
  test.use({ settings: { 'ban.preset': 'strict' } });

  test('closes everything at the first wrong password', async ({ page, server, watch }) => {
    const ada = await server.person();
    watch.allowStatus(403);
    const login = new LoginPage(page);
    await login.open();
    await login.submit({ ...ada, password: newPassword() });
    await expect(login.alert).toContainText('Your address is banned');
    await page.reload();
    await expect(new BannedPage(page).heading).toBeVisible();

    const client = new Client(server, '127.0.0.11');
    await client.login({ ...ada, password: newPassword() });
    expect((await client.get('/login')).status).toBe(403);
  });
});

test('a ban outlives the process', async ({ page, server, watch }) => {
  await server.person();
  await forge(server);
  watch.allowStatus(403);
  const banned = new BannedPage(page);
  await page.goto('/login');
  const incident = (await banned.incident.textContent()) ?? '';
  await server.restart();
  expect((await page.goto('/login'))?.status()).toBe(403);
  await expect(banned.incident).toHaveText(incident);
  await lift(server);
  expect((await page.goto('/login'))?.status()).toBe(200);
});

test('an offence during a ban is not heard', async ({ server }) => {
  await forge(server, '127.0.0.12');
  const before = (await server.command(['ban', 'list'])).stdout.split('\n').filter(Boolean);
  expect((await forge(server, '127.0.0.12')).json.code).toBe('banned');
  expect((await server.command(['ban', 'list'])).stdout.split('\n').filter(Boolean)).toHaveLength(before.length);
});

test('an address in a header is not believed', async ({ server }) => {
  const liar = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' };
  const client = new Client(server, '127.0.0.13', liar);
  await client.post('/api/login', { encrypted_username_password: 'a.b.c.d.e', short_key: FORGED });
  expect((await client.get('/login')).status).toBe(403);
  expect((await new Client(server, '127.0.0.13', { 'x-forwarded-for': '198.51.100.1' }).get('/login')).status).toBe(403);
  expect((await server.command(['ban', 'list'])).stdout).toMatch(/^127\.0\.0\.13\teverything/m);
});

test.describe('floods', () => {
  // The exact rule of the preset "strict": the first request over a limit bans.
  test.use({ settings: { 'ban.preset': '"strict"', 'ban.limits.sign_in_per_minute': '30' } });

  test('more than 30 sign-in requests a minute', async ({ server }) => {
    const client = new Client(server, '127.0.0.14');
    let taken = 0;
    while (taken < 60 && (await client.get('/api/challenge')).status === 200) taken += 1;
    // One request is allowed again every two seconds, and the duration of this loop is unknown.
    expect(taken).toBeGreaterThanOrEqual(30);
    expect(taken).toBeLessThan(40);
    expect((await client.get('/login')).status).toBe(403);
    expect((await new Client(server, '127.0.0.15').get('/api/challenge')).status).toBe(200);
    expect((await server.command(['ban', 'list'])).stdout).toContain('127.0.0.14\teverything');
  });

  test('more than 10 sign-in requests at once', async ({ server }) => {
    const address = '127.0.0.16';
    const client = new Client(server, address);
    // Ten requests that are never completed.
    const slow = Array.from({ length: 10 }, () => {
      const socket = connect({ host: '127.0.0.1', port: server.port, localAddress: address });
      socket.on('error', () => {});
      socket.write(`POST /api/login HTTP/1.1\r\nhost: localhost:${server.port}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`);
      return socket;
    });
    await expect.poll(async () => (await client.get('/api/challenge')).status, { intervals: [50], timeout: 4_000 }).toBe(403);
    expect((await client.get('/login')).status).toBe(403);
    slow.forEach((socket) => socket.destroy());
  });

  test('static files are no flood', async ({ server }) => {
    const client = new Client(server, '127.0.0.17');
    const css = /\/pkg\/[^"]+\.css/.exec((await client.get('/login')).text)?.[0] ?? '';
    const answers = await Promise.all(Array.from({ length: 150 }, () => client.get(css)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    expect((await client.get('/login')).status).toBe(200);
  });
});

test.describe('another site', () => {
  test.use({ settings: { 'log.level': 'debug' } });

  /** All requests that a page can send without being asked, to harm its visitor. */
  const attack = (origin: string) => `
    <iframe name="frame"></iframe>
    <form id="in" method="post" enctype="text/plain" target="frame" action="${origin}/api/login">
      <input name='{"encrypted_username_password":"a.b.c.d.e","x":"' value='","short_key":"${FORGED}"}'>
    </form>
    <form id="out" method="post" enctype="text/plain" target="frame" action="${origin}/api/logout"><input name="{}"></form>
    <script>
      const frame = document.querySelector('iframe');
      const body = JSON.stringify({ encrypted_username_password: 'a.b.c.d.e', short_key: '${FORGED}' });
      const fire = (path, init) => fetch('${origin}' + path, { credentials: 'include', ...init }).catch(() => {});
      const submit = (id) => new Promise((resolve) => {
        frame.addEventListener('load', resolve, { once: true });
        document.getElementById(id).submit();
      });
      async function attack() {
        await Promise.all([
          fire('/api/login', { method: 'POST', mode: 'no-cors', body }),
          fire('/api/login', { method: 'POST', mode: 'no-cors', body: new Blob([body], { type: 'text/plain' }) }),
          fire('/api/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
          fire('/api/logout', { method: 'POST', mode: 'no-cors', body: '{}' }),
          fire('/api/sessions', { method: 'DELETE' }),
          fire('/api/session', {}),
          fire('/dashboard', { mode: 'no-cors' }),
          ...Array.from({ length: 60 }, () => fire('/api/challenge', { mode: 'no-cors' })),
        ]);
        navigator.sendBeacon('${origin}/api/login', body);
        await submit('in');
        await submit('out');
      }
    </script>`;

  for (const host of ['127.0.0.1', 'localhost'] as const) {
    test(`on ${host} can neither ban its visitor nor act for them`, async ({ page, server, watch }) => {
      watch.allowStatus(403, 405);
      watch.allowMessage(/CORS policy|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|frame-ancestors/);
      await new LoginPage(page).signIn(await server.person());
      const elsewhere = await Elsewhere.serve(attack(server.origin));
      watch.allowOrigin(elsewhere.origin(host));
      await page.goto(elsewhere.origin(host));
      const before = server.log.length;
      await page.evaluate('attack()');
      await elsewhere.close();

      // The log arrives apart from the answers.
      const lines = () => {
        const asked = [...server.log.slice(before).matchAll(/request method=(\w+) path="([^"]+)" status=(\d+)/g)];
        return asked.map(([, method, path, status]) => `${method} ${path} ${status}`);
      };
      for (const [path, least] of [['POST /api/login', 3], ['POST /api/logout', 2], ['GET /api/challenge', 60]] as const) {
        await expect.poll(() => lines().filter((line) => line.startsWith(path)).length, `${path} was sent`).toBeGreaterThanOrEqual(least);
      }
      expect(lines().filter((line) => !/ (403|405)$/.test(line)), 'and all of it was refused').toEqual([]);
      expect((await server.command(['ban', 'list'])).stdout).toBe('');
      await page.goto('/dashboard');
      await expect(new Dashboard(page).heading, 'still signed in').toHaveText('Overview');
    });
  }

  test('is known by each header alone', async ({ server }) => {
    const client = new Client(server, '127.0.0.18');
    const body = { encrypted_username_password: 'a.b.c.d.e', short_key: FORGED };
    const good = sameOrigin(server.origin);
    const { origin: _, ...noOrigin } = good;
    const cases: Record<string, Record<string, string>> = {
      'cross-site': { ...good, 'sec-fetch-site': 'cross-site' },
      'same-site': { ...good, 'sec-fetch-site': 'same-site' },
      none: { ...good, 'sec-fetch-site': 'none' },
      'another port': { ...good, origin: 'http://localhost:1' },
      'another scheme': { ...good, origin: server.origin.replace('http:', 'https:') },
      'a null origin': { ...good, origin: 'null' },
      'no origin': noOrigin,
      'a navigation': { ...good, 'sec-fetch-mode': 'navigate' },
      'a form': { ...good, 'content-type': 'text/plain' },
      'another form': { ...good, 'content-type': 'application/x-www-form-urlencoded' },
      'no headers but cookies': { cookie: '__Host-postern-access=x' },
      'a foreign origin alone': { origin: 'http://elsewhere.example' },
    };
    for (const [what, headers] of Object.entries(cases)) {
      const answer = await client.post('/api/login', body, headers);
      expect([answer.status, answer.json.code], what).toEqual([403, 'cross_site']);
    }
    expect((await client.post('/api/login', body, good)).json.code, 'and without any fault it is judged').toBe('short_key_forged');
  });
});
