import { createServer, request, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { Dashboard } from '../pages/dashboard';
import { Client } from '../support/client';
import { Proxy, type Kind } from '../support/proxy';
import { freePort, type Person } from '../support/server';
import { expect, test as base } from '../support/test';
import { Upstream } from '../support/upstream';

/** The portal and one app share a root domain; the other app has one of its own. */
const PORTAL = 'auth.portal.test';
const WIKI = 'wiki.portal.test';
const SHOP = 'shop.other.test';

interface Place {
  origin: string;
  upstream: Upstream;
}

interface World {
  front: Proxy;
  wiki: Place;
  shop: Place;
}

const test = base.extend<{ kind: Kind; world: World }, { frontPort: number }>({
  kind: ['nginx', { option: true }],
  frontPort: [async ({}, use) => use(await freePort()), { scope: 'worker' }],

  settings: async ({ frontPort }, use) =>
    use({
      public_url: `https://${PORTAL}:${frontPort}`,
      trusted_proxies: '["127.0.0.1"]',
      // Short enough that several of them expire while a page stays open.
      'session.access': '3s',
      apps: `[{ name = "wiki", origin = "https://${WIKI}:${frontPort}", rules = [
        { path = "/open/*", allow = "public" }, { path = "/tokens/*", allow = "public", authorization = "app" }, { path = "/admin/*", allow = "role", role = "administrator" } ] },
        { name = "shop", origin = "https://${SHOP}:${frontPort}" }]`,
    }),

  world: async ({ server, frontPort, kind, watch }, use) => {
    const [wiki, shop] = [await Upstream.start(), await Upstream.start()];
    const apps = [
      { name: 'wiki', host: WIKI, upstream: wiki.port },
      { name: 'shop', host: SHOP, upstream: shop.port },
    ];
    const front = await Proxy.start(kind, server.port, frontPort, [], { portal: PORTAL, apps });
    const places = { wiki: { origin: `https://${WIKI}:${frontPort}`, upstream: wiki }, shop: { origin: `https://${SHOP}:${frontPort}`, upstream: shop } };
    watch.allowOrigin(places.wiki.origin, places.shop.origin);
    await use({ front, ...places });
    watch.end();
    await front.end();
    await Promise.all([wiki.close(), shop.close()]);
  },
});

test.use({ ignoreHTTPSErrors: true });

/** The app's answers to its page. */
interface Heard {
  status: number;
  type: string;
  me: Record<string, string> | null;
}

const me = (page: Page): Promise<Heard> => page.evaluate(() => (window as unknown as { me(): Promise<Heard> }).me());

const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** Opens a page of an app, signs in on the way, and arrives there. */
async function enter(page: Page, place: Place, ada: Person, path = '/'): Promise<void> {
  await page.goto(place.origin + path);
  expect(new URL(page.url()).hostname).toBe(PORTAL);
  const login = new LoginPage(page);
  await login.alive();
  await login.submit(ada);
  await page.waitForURL(place.origin + path);
}

/** Returns the cookie that this browser has at an app, as a header. */
async function cookieOf(page: Page, place: { origin: string }): Promise<string> {
  const cookies = await page.context().cookies(place.origin);
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** Sends requests whose letters up to U+00FF are one byte each. Returns the statuses, in order. */
async function raw(port: number, ...requests: string[][]): Promise<number[]> {
  const statuses = [];
  for (const lines of requests) {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: WIKI, ALPNProtocols: ['http/1.1'] });
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1'));
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    statuses.push(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]));
  }
  return statuses;
}

/** Forwards everything to a portal, except a proxy's first question about a request: the portal is too busy for it. */
async function busy(portal: number): Promise<HttpServer> {
  const http = createServer((asked, answer) => {
    if (asked.url === '/api/verify') {
      answer.writeHead(503, { 'retry-after': '1' }).end();
      return;
    }
    const { method, url: path, headers } = asked;
    const forwarded = request({ host: '127.0.0.1', port: portal, method, path, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    forwarded.on('error', () => answer.destroy());
    asked.pipe(forwarded);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http;
}

/**
 * Returns the headers that a proxy forwards or removes. Behind Traefik, Postern refuses names with underscores, and the
 * guide's rule refuses a `Connection` that names identity headers, and protocols other than WebSocket.
 */
function sendable(kind: Kind, headers: Record<string, string>): Record<string, string> {
  const is = ([name]: [string, string]) => kind !== 'traefik' || !(name.includes('_') || /^(connection|upgrade)$/.test(name));
  return Object.fromEntries(Object.entries(headers).filter(is));
}

for (const kind of ['nginx', 'caddy', 'traefik'] as const) {
  test.describe(kind, () => {
    test.use({ kind });

    test('one sign-in opens apps on two root domains', async ({ page, server, world }) => {
      const ada = await server.person();
      await enter(page, world.wiki, ada, '/deep/page?a=b&c=%2F');
      await expect(page.getByRole('heading')).toHaveText('The app');
      const heard = await me(page);
      expect([heard.status, heard.me?.['remote-user'], heard.me?.['remote-roles']]).toEqual([200, ada.name, 'user']);
      const said = claims(String(heard.me?.authorization).replace('Bearer ', ''));
      expect([said.aud, said.preferred_username, said.sid]).toEqual([world.wiki.origin, ada.name, heard.me?.['remote-session']]);

      await page.goto(`${world.shop.origin}/cart`);
      await page.waitForURL(`${world.shop.origin}/cart`);
      expect((await me(page)).me?.['remote-user']).toBe(ada.name);
      const [inWiki, inShop] = [await cookieOf(page, world.wiki), await cookieOf(page, world.shop)];
      expect(inWiki).toContain('__Host-postern-app=');
      expect(inWiki + inShop).not.toMatch(/postern-(access|refresh)/);
      for (const { headers } of [...world.wiki.upstream.seen, ...world.shop.upstream.seen]) {
        expect(String(headers.cookie)).not.toMatch(/postern-(access|refresh)/);
      }
    });

    test('a page that stays open is served for longer than any token lives, until the session ends', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const tokens = new Set<string>();
      await expect
        .poll(
          async () => {
            const heard = await me(page);
            expect(heard.status).toBe(200);
            const { exp, iat } = claims(String(heard.me?.authorization));
            // `iat` is half a minute earlier, for clocks that are behind.
            expect(exp - iat).toBeLessThanOrEqual(34);
            return tokens.add(String(heard.me?.authorization)).size;
          },
          { timeout: 30_000 },
        )
        .toBeGreaterThanOrEqual(3);
      // After sign-out on another page the script gets a plain refusal, and the next page leads to sign-in.
      const portal = await page.context().newPage();
      await portal.goto('/dashboard');
      await new Dashboard(portal).leave();
      await portal.close();
      const seen = world.wiki.upstream.seen.length;
      expect(await me(page)).toEqual({ status: 401, type: 'basic', me: null });
      expect(world.wiki.upstream.seen.length, 'nothing reached the app').toBe(seen);
      await page.reload();
      const login = new LoginPage(page);
      await login.alive();
      await login.submit(ada);
      await page.waitForURL(`${world.wiki.origin}/`);
      expect((await me(page)).status).toBe(200);
    });

    test('an app session that is gone comes back without a question', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const before = await me(page);
      // The access token of the portal has expired, so it is renewed on the way.
      await page.context().clearCookies({ name: '__Host-postern-app' });
      const resumed = page.waitForRequest((request) => new URL(request.url()).pathname === '/api/refresh');
      await expect.poll(async () => (await page.context().cookies(world.front.origin)).some(({ name, value }) => name.endsWith('access') && claims(value).exp * 1000 < Date.now())).toBe(true);
      await page.goto(`${world.wiki.origin}/again#part`, { waitUntil: 'commit' });
      await resumed;
      await page.waitForURL(`${world.wiki.origin}/again#part`);
      expect((await me(page)).me?.['remote-session']).toBe(before.me?.['remote-session']);
    });

    test('signing out at the app signs out of everything', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      await page.goto(`${world.shop.origin}/`);
      await page.waitForURL(`${world.shop.origin}/`);
      await page.goto(`${world.wiki.origin}/.postern/logout`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(`${world.front.origin}/login?why=signed_out`);
      for (const place of [world.wiki, world.shop]) {
        await page.goto(`${place.origin}/`);
        await new LoginPage(page).alive();
        expect(new URL(page.url()).hostname).toBe(PORTAL);
      }
    });

    test('a role that is missing is refused, one that is there is not', async ({ page, server, world, watch, visit }) => {
      watch.allowStatus(403);
      const [ada, root] = [await server.person(), await server.person('administrator')];
      await enter(page, world.wiki, ada);
      const seen = world.wiki.upstream.seen.length;
      for (const path of ['/admin/users', '/open/../admin/users', '/open/%2e%2e/admin/users', '/ADMIN/users', '/open/%252e%252e/admin/users']) {
        const client = new Client({ origin: world.wiki.origin, port: world.front.port, tls: true }, '127.0.7.1', { cookie: await cookieOf(page, world.wiki) });
        expect((await client.get(path)).status, path).toBe(403);
      }
      expect((await page.goto(`${world.wiki.origin}/admin/users`))?.status()).toBe(403);
      // Chromium may have requested an icon for the error page.
      const reached = world.wiki.upstream.seen.slice(seen).filter(({ url }) => url !== '/favicon.ico');
      expect(reached, 'nothing reached the app').toEqual([]);
      const other = await visit({ ignoreHTTPSErrors: true });
      await enter(other, world.wiki, root, '/admin/users');
      expect((await me(other)).me?.['remote-roles']).toBe('administrator');
    });

    test('a code serves once, in the browser that asked for it, and no person sees an error', async ({ page, server, world, watch, visit }) => {
      watch.allowStatus(400, 401);
      const ada = await server.person();
      const called = page.waitForRequest((request) => new URL(request.url()).pathname === '/.postern/callback');
      await enter(page, world.wiki, ada, '/mine');
      const callback = (await called).url();
      await page.goto(callback);
      expect(page.url(), 'asked twice: the session is good').toBe(`${world.wiki.origin}/mine`);
      await page.context().clearCookies({ name: '__Host-postern-app' });
      await page.goto(callback);
      await page.waitForURL(`${world.wiki.origin}/mine`);

      // The same URL in another browser leads to sign-in there.
      const thief = await visit({ ignoreHTTPSErrors: true });
      await thief.goto(callback);
      expect(new URL(thief.url()).hostname).toBe(PORTAL);
      expect((await thief.context().cookies(world.wiki.origin)).map(({ name }) => name)).toEqual([expect.stringMatching(/^__Host-postern-state-.{8}$/)]);
      expect((await thief.goto(`${callback}&again=1`))?.status(), 'and no further').toBe(400);
      await expect(thief.getByRole('link', { name: 'Sign in again' })).toBeVisible();
    });

    test('every tab that starts at once arrives where it wanted to go', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await new LoginPage(page).signIn(ada);
      const tabs = await Promise.all(Array.from({ length: 12 }, () => page.context().newPage()));
      await Promise.all(tabs.map((tab, number) => tab.goto(`${world.wiki.origin}/deep/${number}?a=b#part`, { waitUntil: 'commit' })));
      await Promise.all(tabs.map((tab, number) => tab.waitForURL(`${world.wiki.origin}/deep/${number}?a=b#part`)));
      const names = (await page.context().cookies(world.wiki.origin)).map(({ name }) => name);
      expect(names).toEqual(['__Host-postern-app']);
    });

    test('a deep link of eight thousand letters and its fragment survive sign-in', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      const login = new LoginPage(page);
      for (const link of [`/short?q=%2F#/route?x=1`, `/long?q=${'%C3%A4b'.repeat(1_000)}#/route?x=1`]) {
        await page.context().clearCookies();
        await page.goto(world.wiki.origin + link, { waitUntil: 'commit' });
        await page.waitForURL((url) => url.hostname === PORTAL);
        await login.alive();
        await login.submit(ada);
        await page.waitForURL(world.wiki.origin + link);
        await expect(page.getByRole('heading')).toHaveText('The app');
        expect(world.wiki.upstream.seen.some(({ url }) => url === link.split('#')[0])).toBe(true);
      }
    });

    test('a copied cookie of the portal opens no app', async ({ page, server, world, watch, visit }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await new LoginPage(page).signIn(ada);
      const thief = await visit({ ignoreHTTPSErrors: true });
      await thief.context().addCookies(await page.context().cookies(world.front.origin));
      await thief.goto(`${world.wiki.origin}/`);
      await expect(thief.getByText('no longer has the key')).toBeVisible();
      expect((await thief.context().cookies(world.wiki.origin)).map(({ name }) => name).join()).not.toContain('postern-app');
    });

    test('an upload of three mebibytes passes, and one that nobody is signed in for is refused', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const upload = () => page.evaluate(async () => (await fetch('/upload', { method: 'POST', body: new Uint8Array(3 << 20) })).status);
      expect(await upload()).toBe(200);
      await page.context().clearCookies({ name: '__Host-postern-app' });
      expect(await upload()).toBe(401);
    });

    test('a frame whose session has ended says what to do', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      await page.context().clearCookies();
      await page.evaluate(() => {
        const frame = document.createElement('iframe');
        frame.src = '/part?x=y';
        document.body.append(frame);
      });
      const link = page.frameLocator('iframe').getByRole('link', { name: 'Sign in in a new tab' });
      await expect(link).toBeVisible();
      const tab = page.context().waitForEvent('page');
      await link.click();
      const opened = await tab;
      await opened.waitForURL((url) => url.hostname === PORTAL);
      await new LoginPage(opened).alive();
    });

    test('a form that is sent after the end is told so, on a page', async ({ page, server, world, watch }) => {
      watch.allowStatus(401);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      await page.context().clearCookies({ name: '__Host-postern-app' });
      await page.evaluate(() => {
        const form = document.createElement('form');
        form.method = 'post';
        form.action = '/edit';
        document.body.append(form);
        form.submit();
      });
      await expect(page.getByRole('heading')).toHaveText('This was not sent');
    });

    test('a byte beyond ASCII in an address or a cookie is nobody\'s error', async ({ page, server, world }) => {
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const cookie = `x=\u00e9\u00ff; ${await cookieOf(page, world.wiki)}`;
      const host = `Host: ${new URL(world.wiki.origin).host}`;
      const answers = await raw(world.front.port, [`GET /secret HTTP/1.1`, host, `Cookie: ${cookie}`], [`GET /caf\u00e9 HTTP/1.1`, host, 'Accept: text/html']);
      expect(answers[0]).toBe(200);
      expect([302, 401]).toContain(answers[1]);
    });

    test('the question of proxies is closed to clients', async ({ world }) => {
      const client = new Client(world.front, '127.0.7.8', {
        'x-forwarded-proto': 'https',
        'x-forwarded-host': new URL(world.wiki.origin).host,
        'x-forwarded-uri': '/open/x',
        'x-forwarded-method': 'GET',
      });
      for (const path of ['/api/verify', '/api/verify?redirect', '/api//verify', '/api/./verify', '/api/%76erify', '/API/verify']) {
        const answer = await client.get(path);
        expect(answer.status, path).toBe(404);
        expect(answer.headers['remote-user'], path).toBeUndefined();
      }
    });

    test('an app\'s own tokens reach it where a rule says so, and are marked', async ({ page, server, world }) => {
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const place = { origin: world.wiki.origin, port: world.front.port, tls: true };
      const arrived = async (path: string, headers: Record<string, string>) => {
        expect((await new Client(place, '127.0.7.9', headers).get(path)).status, path).toBe(200);
        const seen: Record<string, unknown> = world.wiki.upstream.seen.at(-1)?.headers ?? {};
        return [String(seen.authorization ?? '').slice(0, 10), seen['remote-authorization'] ?? '', seen['remote-user'] ?? ''];
      };
      const own = sendable(kind, { authorization: 'token abcd', 'remote-authorization': 'postern', remote_authorization: 'postern' });
      const cookie = await cookieOf(page, world.wiki);
      expect(await arrived('/tokens/x', own)).toEqual(['token abcd', 'app', '']);
      expect(await arrived('/tokens/x', { ...own, cookie })).toEqual(['token abcd', 'app', ada.name]);
      expect(await arrived('/open/x', own)).toEqual(['token abcd', 'app', '']);
      expect(await arrived('/open/x', { ...own, cookie })).toEqual(['Bearer eyJ', 'postern', ada.name]);
      expect(await arrived('/secret', { ...own, cookie })).toEqual(['Bearer eyJ', 'postern', ada.name]);
      expect(await arrived('/open/x', { 'remote-authorization': 'postern' })).toEqual(['', '', '']);
    });

    test('what a client says of itself never arrives', async ({ page, server, world }) => {
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const lies = sendable(kind, {
        'remote-user': 'root',
        'remote-roles': 'administrator',
        'remote-groups': 'admins',
        'remote-name': 'root',
        'remote-email': 'root@example.org',
        'remote-session': 'x',
        remote_user: 'root',
        Remote_Roles: 'administrator',
        Remote_Groups: 'admins',
        Remote_Email: 'root@example.org',
        X_Forwarded_For: '198.51.100.1',
        'X_Real-IP': '198.51.100.1',
        X_HTTP_Method_Override: 'OPTIONS',
        authorization: 'Bearer of-my-own',
        'x-forwarded-uri': '/open/x',
        'x-forwarded-host': 'elsewhere.test',
        'x-forwarded-method': 'OPTIONS',
        'x-original-url': '/open/x',
        dpop: 'x',
        'x-forwarded-prefix': '/evil',
        'x-forwarded-server': 'elsewhere.test',
        'x-forwarded-port': '1',
        'x-original-uri': '/open/x',
        'x-original-host': 'elsewhere.test',
        'x-rewrite-url': '/open/x',
        'x-real-ip': '198.51.100.1',
        forwarded: 'for=198.51.100.1;host=elsewhere.test',
        connection: 'Upgrade, HTTP2-Settings, Remote-User, Remote-Roles, Remote-Session, Authorization, Remote-Authorization',
        upgrade: 'h2c',
        'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA',
      });
      const place = { origin: world.wiki.origin, port: world.front.port, tls: true };
      const FALSE = /elsewhere|^\/open|evil|198\.51|OPTIONS|^1$/;
      const told = (headers: Record<string, unknown> | undefined) =>
        Object.entries(headers ?? {}).filter(([name, value]) => value && /remote|authorization|dpop/i.test(name)).map(([name, value]) => `${name}: ${String(value).slice(0, 10)}`).sort();

      expect((await new Client(place, '127.0.7.2', lies).get('/secret')).status).not.toBe(200);
      expect((await new Client(place, '127.0.7.2', lies).get('/open/x')).status).toBe(200);
      const bare = world.wiki.upstream.seen.at(-1)?.headers;
      // The client's own header, marked as such.
      expect(told(bare), 'nobody').toEqual(['authorization: Bearer of-', 'remote-authorization: app']);
      expect([bare?.upgrade, bare?.['http2-settings']], 'a tunnel past the portal').toEqual([undefined, undefined]);
      const claims = Object.entries(bare ?? {}).filter(([name]) => /forwarded|original|rewrite|real.ip|method/i.test(name));
      expect(claims.filter(([, value]) => FALSE.test(String(value)))).toEqual([]);
      expect(Object.fromEntries(claims)).toMatchObject({ 'x-forwarded-host': expect.stringContaining(WIKI), 'x-forwarded-proto': 'https' });
      const signedIn = new Client(place, '127.0.7.3', { ...lies, cookie: await cookieOf(page, world.wiki) });
      expect((await signedIn.get('/secret')).status).toBe(200);
      const names = told(world.wiki.upstream.seen.at(-1)?.headers).sort();
      expect(names).toEqual(['authorization: Bearer eyJ', 'remote-authorization: postern', `remote-name: ${ada.name}`, expect.stringContaining('remote-roles: user'), expect.stringContaining('remote-session: '), `remote-user: ${ada.name}`]);
      expect((await signedIn.get('/admin/x')).status).toBe(403);
      const cookie = await cookieOf(page, world.wiki);
      for (const lie of [{ remote_user: 'root' }, { connection: 'Remote-User' }, { connection: 'Upgrade', upgrade: 'h2c' }]) {
        const seen = world.wiki.upstream.seen.length;
        const { status } = await new Client(place, '127.0.7.3', { ...lie, cookie }).get('/secret');
        expect(kind === 'traefik' ? [200, 400, 404] : [200], JSON.stringify(lie)).toContain(status);
        for (const { headers } of world.wiki.upstream.seen.slice(seen)) expect([headers.remote_user, headers['remote-user'], headers.upgrade]).toEqual([undefined, ada.name, undefined]);
      }
    });

    test('a request line that names another app than its Host header is judged as what it is', async ({ page, server, world }) => {
      const ada = await server.person();
      await enter(page, world.shop, ada);
      const client = new Client({ origin: world.shop.origin, port: world.front.port, tls: true }, '127.0.7.4', { cookie: await cookieOf(page, world.shop) });
      const seen = world.wiki.upstream.seen.length;
      const answer = await client.get(`${world.wiki.origin}/secret`);
      expect(answer.status).not.toBe(200);
      expect(world.wiki.upstream.seen.length).toBe(seen);
    });

    test('a WebSocket opens for whoever is signed in', async ({ page, server, world, watch }) => {
      watch.allowMessage(/WebSocket connection/);
      const ada = await server.person();
      await enter(page, world.wiki, ada);
      const socket = () => page.evaluate(() => (window as unknown as { socket(): Promise<string> }).socket());
      expect(await socket()).toBe(ada.name);
      await page.context().clearCookies({ name: '__Host-postern-app' });
      expect(await socket()).toBe('closed');
    });

    test('a program passes with a token for the app', async ({ server, world }) => {
      const ada = await server.person();
      const portal = new Client(world.front, '127.0.7.5');
      const access = (await portal.login(ada)).json.tokens.access_token;
      const token = await portal.post('/api/tokens', { audience: world.wiki.origin }, { authorization: `Bearer ${access}` });
      expect([token.status, token.json.token_type]).toEqual([200, 'Bearer']);
      const app = new Client({ origin: world.wiki.origin, port: world.front.port, tls: true }, '127.0.7.5', { authorization: `Bearer ${token.json.access_token}` });
      const answer = await app.get('/api/me');
      expect([answer.status, answer.json['remote-user']]).toEqual([200, ada.name]);
      expect(answer.json.authorization, 'the app gets one of its own').not.toContain(token.json.access_token);
      const shop = new Client({ origin: world.shop.origin, port: world.front.port, tls: true }, '127.0.7.5', { authorization: `Bearer ${token.json.access_token}` });
      expect((await shop.get('/api/me')).status).toBe(401);
    });
  });
}

// nginx makes 500 of every other answer than 2xx, 401 and 403 to its first question.
test('nginx asks a portal that was busy once more, and lets nothing pass', async ({ server, frontPort }) => {
  const [wiki, portal] = [await Upstream.start(), await busy(server.port)];
  const site = { portal: PORTAL, apps: [{ name: 'wiki', host: WIKI, upstream: wiki.port }] };
  const front = await Proxy.start('nginx', (portal.address() as AddressInfo).port, frontPort, [], site);
  try {
    const client = new Client({ origin: `https://${WIKI}:${frontPort}`, port: frontPort, tls: true }, '127.0.7.10');
    const answer = await client.get('/open/x');
    expect([answer.status, answer.json?.code, answer.headers['retry-after']]).toEqual([503, 'busy', '1']);
    const page = await client.get('/open/x', { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
    expect([page.status, page.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8']);
    expect(page.text).toContain('Wait a little, then reload the page.');
    // A person who is not signed in goes to sign-in.
    const stranger = await client.get('/secret', { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' });
    expect(stranger.status).toBe(302);
    expect(wiki.seen).toEqual([]);
  } finally {
    await front.end();
    await wiki.close();
    portal.closeAllConnections();
    portal.close();
  }
});
