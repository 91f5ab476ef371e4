import type { BrowserContext, Page } from '@playwright/test';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client, ClientKey, sameOrigin } from '../support/client';
import { ACCESS, DEVICE, REFRESH, claims, cookie, cookieHeader } from '../support/cookies';
import type { Server } from '../support/server';
import { expect, test } from '../support/test';
import { at } from '../support/url';

/** Resolves when the browser's access token has expired. */
async function expired(server: Server, context: BrowserContext): Promise<void> {
  // The token is bound, so it is valid in the cookie only.
  const headers = { cookie: `${ACCESS}=${await cookie(context, ACCESS)}` };
  await expect.poll(async () => (await new Client(server).get('/api/session', headers)).status, { intervals: [100] }).toBe(401);
}

/** Records the paths that a page opens from now on, in order. */
function path(page: Page): string[] {
  const seen: string[] = [];
  page.on('framenavigated', (frame) => {
    if (frame === page.mainFrame()) seen.push(new URL(frame.url()).pathname);
  });
  return seen;
}

/** Simulates a person's return to a page that was open in the background. */
async function comeBack(page: Page): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
}

/** Records the API requests of a page from now on. */
function calls(page: Page): string[] {
  const seen: string[] = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith('/api/')) seen.push(`${response.request().method()} ${pathname} ${response.status()}`);
  });
  return seen;
}

test('the cookies are for this host and this browser only, and no script reads them', async ({ page, context, server }) => {
  const set: string[] = [];
  page.on('response', async (response) => {
    if (response.url().endsWith('/api/login')) set.push(...(await response.headersArray()).filter(({ name }) => name.toLowerCase() === 'set-cookie').map(({ value }) => value));
  });
  await new LoginPage(page).signIn(await server.person());
  const access = set.find((line) => line.startsWith(ACCESS)) ?? '';
  const refresh = set.find((line) => line.startsWith(REFRESH)) ?? '';
  for (const line of [access, refresh]) {
    expect(line).toMatch(/; HttpOnly/);
    expect(line).toMatch(/; Secure/);
    expect(line).toMatch(/; Path=\//);
    expect(line).not.toMatch(/domain/i);
    expect(line.split(';')[0]?.length).toBeLessThan(4096);
  }
  expect(access).toMatch(/; SameSite=Lax/);
  expect(refresh).toMatch(/; SameSite=Strict/);
  expect(await page.evaluate(() => document.cookie)).toBe('');
  await page.evaluate((name) => (document.cookie = `${name}=forged; Secure; Path=/`), ACCESS);
  expect(await cookie(context, ACCESS)).not.toBe('forged');
  expect((await context.cookies()).map(({ name }) => name).sort()).toEqual([ACCESS, DEVICE, REFRESH].sort());
});

test.describe('when the access token has run out', () => {
  test.use({ settings: { 'session.access': '3s' } });

  test('the dashboard opens again, and the sign-in page never appears', async ({ page, context, server, watch }) => {
    watch.allowStatus(401);
    await new LoginPage(page).signIn(await server.person());
    for (const place of ['/dashboard', '/dashboard/devices#part', '/dashboard/activity?x=1%20y#part']) {
      const document = place.replace(/#.*/, '');
      await expired(server, context);
      const seen = path(page);
      const asked = calls(page);
      await page.goto(place);
      await page.waitForURL(at(document));
      await expect(page.locator('.who')).toBeVisible();
      expect(page.url()).toBe(server.origin + place);
      expect(seen).toEqual(['/resume', document.split('?')[0]]);
      expect(asked.filter((line) => line.startsWith('POST'))).toEqual(['POST /api/refresh 200']);
      page.removeAllListeners('framenavigated');
      page.removeAllListeners('response');
    }
  });

  test('a link from another place finds a signed-in person', async ({ page, context, server, watch }) => {
    watch.allowStatus(401);
    await new LoginPage(page).signIn(await server.person());
    await expired(server, context);
    await page.goto('about:blank');
    const seen = path(page);
    await page.setContent(`<a href="${server.origin}/dashboard">here</a>`);
    await page.getByRole('link').click();
    await page.waitForURL(at('/dashboard'));
    expect(seen).not.toContain('/login');
  });

  for (const garbage of [false, true]) {
    test(`a button renews it${garbage ? ' from garbage' : ''} and does what it says`, async ({ page, context, visit, server, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await new LoginPage(await visit()).signIn(ada);
      await new LoginPage(page).signIn(ada);
      const dashboard = new Dashboard(page);
      await expired(server, context);
      await dashboard.open('/dashboard/devices');
      await expect(dashboard.devices).toHaveCount(2);
      await dashboard.alive();
      if (garbage) {
        await context.addCookies([{ name: ACCESS, value: 'not.a.token', domain: 'localhost', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' }]);
      } else {
        await expired(server, context);
      }
      const asked = calls(page);
      await dashboard.devices.getByRole('button').click();
      await expect(dashboard.devices).toHaveCount(1);
      // The session may be read any number of times.
      expect(asked.filter((line) => !line.startsWith('GET')).map((line) => line.replace(/[\w-]{22}/, 'ID'))).toEqual([
        'DELETE /api/sessions/ID 401',
        'POST /api/refresh 200',
        'DELETE /api/sessions/ID 204',
      ]);
      expect(page.url()).toContain('/dashboard/devices');
    });
  }

  test('a page that somebody comes back to renews it', async ({ page, context, server, watch }) => {
    watch.allowStatus(401);
    await new LoginPage(page).signIn(await server.person());
    await new Dashboard(page).alive();
    await expired(server, context);
    const renewed = page.waitForResponse('**/api/refresh');
    await comeBack(page);
    expect((await renewed).status()).toBe(200);
  });

  test('a page whose session has ended elsewhere does not stay on the screen', async ({ page, server, watch }) => {
    watch.allowStatus(401);
    const ada = await server.person();
    await new LoginPage(page).signIn(ada);
    await page.goto('/dashboard/activity');
    await new Dashboard(page).alive();
    expect((await server.command(['user', 'disable', ada.name])).code).toBe(0);
    await expect
      .poll(async () => {
        // The page may be navigating.
        await comeBack(page).catch(() => {});
        return page.url();
      })
      .toBe(`${server.origin}/login?next=%2Fdashboard%2Factivity&why=ended`);
    await expect(page.getByText('Your session has ended.')).toBeVisible();
  });

  test('nobody answers: the page says so and goes on for the asking', async ({ page, context, server, watch }) => {
    watch.allowStatus(401);
    watch.allowMessage(/net::ERR_FAILED/);
    await new LoginPage(page).signIn(await server.person());
    await expired(server, context);
    await page.route('**/api/session', (route) => route.abort());
    await page.goto('/dashboard');
    await expect(page.getByText('This site does not answer right now.')).toBeVisible();
    await page.unroute('**/api/session');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForURL(at('/dashboard'));
  });
});

test.describe('when the access token has run out after a copy of it was used', () => {
  test.use({ settings: { 'session.access': '8s' } });

  test('copied cookies renew nothing elsewhere, and their owner stays signed in', async ({ page, context, visit, server, watch }) => {
    watch.allowStatus(401);
    await new LoginPage(page).signIn(await server.person());
    const thief = await visit();
    await thief.context().addCookies(await context.cookies());
    await thief.goto('/dashboard');
    await expect(new Dashboard(thief).heading, 'for its few minutes the copy is good').toHaveText('Overview');

    await expired(server, context);
    const asked = calls(thief);
    await thief.goto('/dashboard');
    await thief.waitForURL(at('/login'));
    await expect(thief.getByText('no longer has the key')).toBeVisible();
    expect(asked).toContain('POST /api/refresh 401');

    await page.goto('/dashboard');
    await page.waitForURL(at('/dashboard'));
    await expect(new Dashboard(page).heading).toHaveText('Overview');
  });
});

test.describe('twenty tabs', () => {
  test.use({ alone: true, settings: { 'session.access': '1s' } });

  test('that wake at once get one successor and sign nobody out', async ({ page, context, server, watch }) => {
    test.slow();
    watch.allowStatus(401);
    await new LoginPage(page).signIn(await server.person());
    await new Dashboard(page).alive();
    const before = claims(await cookie(context, ACCESS));
    expect(before.gen).toBe(0);
    await expired(server, context);
    // From here on an access token is valid longer than twenty tabs need to open.
    await server.restart({ 'session.access': '5m' });

    const rotations: number[] = [];
    context.on('response', (response) => {
      if (response.url().endsWith('/api/refresh')) rotations.push(response.status());
    });
    const tabs = await Promise.all(Array.from({ length: 20 }, () => context.newPage()));
    const seen = tabs.map(path);
    await Promise.all(tabs.map((tab) => tab.goto('/dashboard').catch(() => undefined)));
    for (const tab of tabs) await expect(new Dashboard(tab).heading).toHaveText('Overview', { timeout: 30_000 });
    expect(seen.flat()).not.toContain('/login');
    expect(rotations).toEqual([200]);
    const after = claims(await cookie(context, ACCESS));
    expect([after.gen, after.sid]).toEqual([1, before.sid]);
  });
});

test.describe('sign-out', () => {
  test('revokes both tokens and shows that nobody is signed in', async ({ page, context, server }) => {
    await new LoginPage(page).signIn(await server.person());
    const cookies = await cookieHeader(context);
    const client = new Client(server, '127.0.0.1', sameOrigin(server.origin, { cookie: cookies }));
    expect((await client.get('/api/session')).status).toBe(200);

    await new Dashboard(page).leave();
    await expect(page.getByText('You are signed out.')).toBeVisible();
    // The device cookie recognizes this browser, and signs nobody in.
    const names = (await context.cookies()).map(({ name }) => name);
    // The sign-in page has requested a challenge, for passkeys.
    expect(names.filter((name) => !name.endsWith('postern-login'))).toEqual([DEVICE]);

    expect((await client.get('/api/session')).json.code).toBe('no_session');
    const refreshed = await client.post('/api/refresh', {});
    expect([refreshed.status, refreshed.json.code, refreshed.cookies]).toEqual([401, 'session_ended', []]);
    const shown = await client.get('/dashboard', { 'sec-fetch-mode': 'navigate' });
    expect([shown.status, shown.text]).toEqual([303, '']);

    await page.goto('/dashboard');
    expect(page.url()).toContain('/login?next=/dashboard');
    await page.goBack();
    await expect(page.getByRole('heading', { level: 1 })).not.toHaveText('Overview');
  });

  test('works with an access token that has run out', async ({ server }) => {
    const client = new Client(server);
    const { tokens } = (await client.login(await server.person())).json;
    const cookies = `${ACCESS}=not.a.token; ${REFRESH}=${tokens.refresh_token}`;
    const out = await client.post('/api/logout', {}, sameOrigin(server.origin, { cookie: cookies }));
    expect(out.status).toBe(204);
    expect((await client.session(tokens.access_token)).status).toBe(401);
  });

  test('of another tab is noticed', async ({ page, context, server, watch }) => {
    watch.allowStatus(401);
    const dashboard = new Dashboard(page);
    await new LoginPage(page).signIn(await server.person());
    const other = await context.newPage();
    await other.goto('/dashboard/devices');
    await new Dashboard(other).alive();
    await dashboard.leave();
    await comeBack(other);
    await other.waitForURL(at('/login?next=%2Fdashboard%2Fdevices&why=ended'));
  });
});

test.describe('refresh tokens', () => {
  test('of an unbound session: a spent one is good until its successor is used, then it ends the family', async ({ server }) => {
    const client = new Client(server);
    const login = (await client.login(await server.person())).json;
    expect(login.session.bound).toBe(false);
    const spent = login.tokens.refresh_token as string;
    const next = (await client.refresh(spent)).json.tokens;
    const again = (await client.refresh(spent)).json.tokens;
    expect(again.refresh_token, 'the same successor again').toBe(next.refresh_token);
    expect(next.refresh_token).not.toBe(spent);

    expect((await client.session(next.access_token)).status, 'the successor is used').toBe(200);
    // Requests that were in progress are accepted for ten seconds.
    await expect
      .poll(async () => (await client.refresh(spent)).json.code ?? 'good', { intervals: [500], timeout: 15_000 })
      .toBe('session_ended');
    expect((await client.refresh(next.refresh_token)).json.code, 'the thief and the owner').toBe('session_ended');
    expect((await client.session(next.access_token)).status).toBe(401);
  });

  test('two generations old end the family at once, and the owner reads about it', async ({ page, server }) => {
    const ada = await server.person();
    const client = new Client(server);
    const first = (await client.login(ada)).json.tokens;
    const second = (await client.refresh(first.refresh_token)).json.tokens;
    const third = (await client.refresh(second.refresh_token)).json.tokens;
    expect((await client.session(third.access_token)).status).toBe(200);
    expect((await client.refresh(first.refresh_token)).json.code).toBe('session_ended');
    for (const token of [first, second, third]) {
      expect((await client.session(token.access_token)).status).toBe(401);
      expect((await client.refresh(token.refresh_token)).json.code).toBe('session_ended');
    }
    await new LoginPage(page).signIn(ada);
    await expect(page.getByText('because someone may have copied it').first()).toBeVisible();
  });

  test('an access token two generations old is refused, the last one is not', async ({ server }) => {
    const client = new Client(server);
    const first = (await client.login(await server.person())).json.tokens;
    const second = (await client.refresh(first.refresh_token)).json.tokens;
    expect((await client.session(first.access_token)).status).toBe(200);
    await client.refresh(second.refresh_token);
    expect((await client.session(first.access_token)).status).toBe(401);
    expect((await client.session(second.access_token)).status).toBe(200);
  });

  test('many at once have one successor', async ({ server }) => {
    const client = new Client(server);
    const { refresh_token } = (await client.login(await server.person())).json.tokens;
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.refresh(refresh_token)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
    expect(new Set(answers.map((answer) => answer.json.tokens.refresh_token)).size).toBe(1);
    expect((await client.session(answers[0]?.json.tokens.access_token)).status).toBe(200);
  });

  test('of a bound session need its key, each proof once', async ({ server }) => {
    const client = new Client(server);
    const key = new ClientKey();
    const login = (await client.login(await server.person(), key)).json;
    expect(login.session.bound).toBe(true);
    expect(claims(login.tokens.access_token).cnf.jkt).toBe(key.thumbprint());
    const url = `${server.origin}/api/refresh`;
    const refresh = (token: string, proof?: string) => client.post('/api/refresh', { refresh_token: token }, proof ? { dpop: proof } : {});
    const token = login.tokens.refresh_token as string;

    const unproven = await refresh(token);
    expect([unproven.status, unproven.json.code]).toEqual([401, 'bad_proof']);
    const nonce = String(unproven.headers['dpop-nonce']);
    expect(nonce).toMatch(/^[\w-]{32}$/);
    const refused: Record<string, [string, string]> = {
      'another key': [new ClientKey().proof(url, nonce), 'bad_proof'],
      'another place': [key.proof(`${server.origin}/api/login`, nonce), 'bad_proof'],
      'another method': [key.proof(url, nonce, 'GET'), 'bad_proof'],
      'an invented nonce': [key.proof(url, 'A'.repeat(32)), 'use_dpop_nonce'],
      'no proof at all': ['x.y.z', 'bad_proof'],
    };
    for (const [what, [proof, code]] of Object.entries(refused)) {
      const answer = await refresh(token, proof);
      expect([answer.status, answer.json.code], what).toEqual([401, code]);
      expect(answer.headers['dpop-nonce'], what).toBeTruthy();
    }

    const proof = key.proof(url, nonce);
    const renewed = await refresh(token, proof);
    expect(renewed.status).toBe(200);
    expect((await refresh(token, proof)).json.code, 'the same proof again').toBe('use_dpop_nonce');

    await test.step('a lost answer costs nobody the session', async () => {
      const again = await refresh(token, key.proof(url, nonce));
      expect(again.json.tokens.refresh_token).toBe(renewed.json.tokens.refresh_token);
    });
    await test.step('but when its successor was used, the spent one is reuse', async () => {
      expect((await refresh(renewed.json.tokens.refresh_token, key.proof(url, nonce))).status).toBe(200);
      expect((await refresh(token, key.proof(url, nonce))).json.code).toBe('session_ended');
    });
  });

  test('that were never issued end nothing', async ({ server }) => {
    const client = new Client(server);
    const { tokens } = (await client.login(await server.person())).json;
    const bytes = Buffer.from(tokens.refresh_token, 'base64url');
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    for (const invented of [bytes.toString('base64url'), 'A'.repeat(92), '', tokens.access_token]) {
      expect((await client.refresh(invented)).json.code).toBe('no_session');
    }
    expect((await client.session(tokens.access_token)).status).toBe(200);
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test('are good for nothing else', async ({ server }) => {
    const client = new Client(server);
    const { tokens } = (await client.login(await server.person())).json;
    expect((await client.session(tokens.refresh_token)).status).toBe(401);
    expect((await client.get('/api/session', { cookie: `${ACCESS}=${tokens.refresh_token}` })).status).toBe(401);
  });
});

test('a session outlives the process', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  await new Dashboard(page).alive();
  await server.restart();
  await page.reload();
  await expect(new Dashboard(page).heading).toHaveText('Overview');
});

test('a new password ends every session', async ({ page, visit, server, watch }) => {
  watch.allowStatus(401);
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  const other = await visit();
  await new LoginPage(other).signIn(ada);
  const set = await server.command(['user', 'set-password', ada.name], 'another lantern at the old gate\n');
  expect(set.stdout).toContain('All sessions of the account have ended.');
  for (const tab of [page, other]) {
    // A running server reads the change within about a second.
    await expired(server, tab.context());
    await tab.goto('/dashboard/devices');
    await tab.waitForURL(at('/login'));
    await expect(tab.getByText('Your session has ended.')).toBeVisible();
  }
});

test('sign-in makes another session each time', async ({ page, context, visit, server }) => {
  const ada = await server.person();
  await new LoginPage(page).signIn(ada);
  const first = claims(await cookie(context, ACCESS));
  // Planted cookies do not become the session's.
  const planted = await visit();
  await planted.context().addCookies([{ name: REFRESH, value: 'planted', domain: 'localhost', path: '/', secure: true, httpOnly: true, sameSite: 'Strict' }]);
  await new LoginPage(planted).signIn(ada);
  const second = claims(await cookie(planted.context(), ACCESS));
  expect(second.sid).not.toBe(first.sid);
  expect(second.sub).toBe(first.sub);
  expect(await cookie(planted.context(), REFRESH)).not.toBe('planted');
});
