import { connect } from 'node:net';
import type { Page } from '@playwright/test';
import { LoginPage } from '../pages/login';
import { Client, sameOrigin, type Answer } from '../support/client';
import { Elsewhere } from '../support/elsewhere';
import { lift } from '../support/lift';
import type { Server } from '../support/server';
import { expect, test } from '../support/test';

const FORGED = { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) };
const EVIL = { origin: 'http://elsewhere.example' };

/** Requests one answer of each kind. Returns names, expected statuses and answers. */
async function answers(server: Server): Promise<[string, number, Answer][]> {
  const client = new Client(server);
  const person = await server.person();
  const { tokens } = (await client.login(person)).json;
  const me = { authorization: `Bearer ${tokens.access_token}` };
  const css = /\/pkg\/[^"]+\.css/.exec((await client.get('/login')).text)?.[0] ?? '/pkg/none.css';
  const js = /\/pkg\/[^"]+\.js/.exec((await client.get('/login')).text)?.[0] ?? '/pkg/none.js';
  const wasm = /\/pkg\/[^"]+\.wasm/.exec((await client.get('/login')).text)?.[0] ?? '/pkg/none.wasm';
  const banned = new Client(server, '127.0.0.99');
  await banned.post('/api/login', FORGED);
  const asked: [string, number, Promise<Answer>][] = [
    ['GET /login', 200, client.get('/login')],
    ['GET /signup', 200, client.get('/signup')],
    ['GET /resume', 200, client.get('/resume')],
    ['GET /dashboard, signed in', 200, client.get('/dashboard', me)],
    ['GET /dashboard/devices, signed in', 200, client.get('/dashboard/devices', me)],
    ['GET /dashboard/activity, signed in', 200, client.get('/dashboard/activity', me)],
    ['GET /dashboard, signed out', 303, client.get('/dashboard')],
    ['GET /', 303, client.get('/')],
    ['GET /login, signed in', 303, client.get('/login', me)],
    ['GET /login, another host', 307, client.get('/login', { host: 'elsewhere.example' })],
    ['GET /nothing', 404, client.get('/nothing')],
    ['GET /api/nothing', 404, client.get('/api/nothing')],
    ['GET /pkg/nothing.js', 404, client.get('/pkg/nothing.js')],
    ['POST /login', 405, client.post('/login', {})],
    ['GET /api/login', 405, client.get('/api/login')],
    ['PUT /api/session', 405, client.request('PUT', '/api/session', { json: {} })],
    ['GET /api/challenge', 200, client.get('/api/challenge')],
    ['GET /api/session', 200, client.get('/api/session', me)],
    ['GET /api/session, signed out', 401, client.get('/api/session')],
    ['GET /api/sessions', 200, client.get('/api/sessions', me)],
    ['POST /api/login, no JSON', 400, client.request('POST', '/api/login', { body: '{', headers: { 'content-type': 'application/json' } })],
    ['POST /api/login, cross-site', 403, client.post('/api/login', FORGED, EVIL)],
    ['POST /api/login, 16 KiB and a byte', 413, client.request('POST', '/api/login', { body: ' '.repeat(16 * 1024 + 1), headers: { 'content-type': 'application/json' } })],
    ['POST /api/refresh, no token', 401, client.post('/api/refresh', {})],
    ['POST /api/logout', 204, client.post('/api/logout', {})],
    ['GET /login, banned', 403, banned.get('/login', { accept: 'text/html' })],
    ['GET /api/session, banned', 403, banned.get('/api/session')],
    ['GET /.well-known/jwks.json', 200, client.get('/.well-known/jwks.json')],
    ['GET /.well-known/postern', 200, client.get('/.well-known/postern')],
    [`GET ${css}`, 200, client.get(css)],
    [`GET ${js}`, 200, client.get(js)],
    [`GET ${wasm}`, 200, client.get(wasm)],
    [`GET ${css}, banned`, 200, banned.get(css)],
    ['GET /favicon.svg', 200, client.get('/favicon.svg')],
    ['GET /robots.txt', 200, client.get('/robots.txt')],
    ['HEAD /login', 200, client.request('HEAD', '/login')],
    ['OPTIONS /api/login', 405, client.request('OPTIONS', '/api/login', { headers: { 'content-type': 'application/json' } })],
  ];
  return Promise.all(asked.map(async ([what, status, answer]) => [what, status, await answer] as [string, number, Answer]));
}

test.describe('every answer', () => {
  test('carries the security headers, whatever its status', async ({ server }) => {
    for (const [what, status, { status: came, headers }] of await answers(server)) {
      expect.soft(came, what).toBe(status);
      expect.soft(headers['x-content-type-options'], what).toBe('nosniff');
      expect.soft(headers['referrer-policy'], what).toBe('no-referrer');
      expect.soft(headers['x-frame-options'], what).toBe('DENY');
      expect.soft(headers['cross-origin-opener-policy'], what).toBe('same-origin');
      expect.soft(headers['cross-origin-embedder-policy'], what).toBe('require-corp');
      expect.soft(headers['cross-origin-resource-policy'], what).toBe('same-origin');
      expect.soft(headers['permissions-policy'], what).toMatch(/camera=\(\).*geolocation=\(\).*microphone=\(\)/);
      expect.soft(headers['server'], what).toBeUndefined();
      expect.soft(headers['strict-transport-security'], `${what}: http on localhost`).toBeUndefined();
    }
  });

  test('has a content security policy without a hole', async ({ server }) => {
    for (const [what, , { headers }] of await answers(server)) {
      const policy = String(headers['content-security-policy']);
      expect.soft(policy, what).toContain("default-src 'none'");
      expect.soft(policy, what).toContain("frame-ancestors 'none'");
      expect.soft(policy, what).toContain("base-uri 'none'");
      expect.soft(policy, what).not.toMatch(/unsafe-inline|'unsafe-eval'|strict-dynamic|unsafe-hashes|data:|blob:|https?:|\*/);
    }
  });

  test('is stored nowhere, but for files that are named by their content', async ({ server }) => {
    for (const [what, , { status, headers }] of await answers(server)) {
      const cached = String(headers['cache-control']);
      if (what.startsWith('GET /pkg/') && status === 200) expect.soft(cached, what).toBe('public, max-age=31536000, immutable');
      else if (/^GET \/(favicon|robots|\.well-known)/.test(what)) expect.soft(cached, what).toMatch(/^public, max-age=\d+/);
      else expect.soft(cached, what).toBe('no-store');
    }
  });

  test('is for this origin only, but for the public keys', async ({ server }) => {
    const client = new Client(server, '127.0.0.1', EVIL);
    for (const path of ['/login', '/dashboard', '/api/challenge', '/api/session', '/api/nothing', '/nothing', '/favicon.svg', '/pkg/x.js']) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await client.request(method, path, { headers: { 'access-control-request-method': 'POST' } });
        expect.soft(Object.keys(headers).filter((name) => name.startsWith('access-control-')), `${method} ${path}`).toEqual([]);
      }
    }
    for (const path of ['/.well-known/jwks.json', '/.well-known/postern']) {
      const { headers } = await client.get(path);
      expect(headers['access-control-allow-origin'], path).toBe('*');
      expect(headers['access-control-allow-credentials'], path).toBeUndefined();
    }
  });

  test('to a program is a problem of one form', async ({ server }) => {
    for (const [what, status, { headers, json }] of await answers(server)) {
      if (status < 400 || !/ \/(api|\.well-known)\//.test(what)) continue;
      expect.soft(headers['content-type'], what).toBe('application/problem+json');
      expect.soft(json, what).toMatchObject({ status, code: expect.stringMatching(/^[a-z_]+$/), title: expect.stringMatching(/\.$/) });
      if (status === 401) expect.soft(headers['www-authenticate'], what).toBeTruthy();
    }
  });
});

test('two hundred pages have two hundred nonces, and each is its own', async ({ server }) => {
  const client = new Client(server);
  const seen = new Set<string>();
  for (const path of ['/login', '/nothing']) {
    for (let time = 0; time < 100; time += 1) {
      const { headers, text } = await client.get(path);
      const nonce = /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))?.[1] ?? '';
      expect(Buffer.from(nonce, 'base64url').length).toBeGreaterThanOrEqual(16);
      const inPage = new Set([...text.matchAll(/nonce="([^"]*)"/g)].map(([, value]) => value));
      expect([...inPage]).toEqual([nonce]);
      seen.add(nonce);
    }
  }
  expect(seen.size).toBe(200);
});

test('no page has a style or a handler in its markup', async ({ server }) => {
  for (const [what, , { headers, text }] of await answers(server)) {
    if (!String(headers['content-type']).startsWith('text/html')) continue;
    expect.soft(text, what).not.toMatch(/<[^>]+\s(style|on[a-z]+)=/);
    expect.soft(text, what).not.toMatch(/<script(?![^>]*nonce=)/);
  }
});

test.describe('in the browser', () => {
  /** Tries everything that injected markup could do. Returns what ran. */
  async function inject(page: Page): Promise<string[]> {
    await page.evaluate(() => {
      const ran: string[] = [];
      Object.assign(window, { ran, run: (what: string) => ran.push(what) });
      const tryTo = (what: () => unknown) => {
        try {
          what();
        } catch {
          // An error is the expected result.
        }
      };
      const add = (tag: string, attributes: Record<string, string>, text = '') => {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) tryTo(() => element.setAttribute(name, value));
        tryTo(() => (element.textContent = text));
        tryTo(() => document.body.append(element));
        return element;
      };
      const attack = () => {
        add('script', {}, 'run("an inline script")');
        add('script', { nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'run("a guessed nonce")');
        add('script', { src: 'data:text/javascript,run("a data script")' });
        add('script', { src: 'http://elsewhere.example/x.js' });
        add('link', { rel: 'modulepreload', href: 'data:text/javascript,run("a preloaded module")' });
        add('script', { type: 'module', src: 'data:text/javascript,run("a data module")' });
        add('img', { src: 'x:', onerror: 'run("an onerror attribute")' });
        tryTo(() => (document.body.innerHTML += '<img src=x: onerror=run("innerHTML")>'));
        tryTo(() => document.write('<script>run("document.write")</script>'));
        tryTo(() => eval('run("eval")'));
        tryTo(() => new Function('run("Function")')());
        tryTo(() => setTimeout('run("a timer of text")'));
        const link = add('a', { href: 'javascript:run("a javascript link")' });
        tryTo(() => link.click());
        add('iframe', { srcdoc: '<script>parent.run("srcdoc")</script>' });
        add('base', { href: 'http://elsewhere.example/' });
        tryTo(() => document.baseURI.includes('elsewhere') && ran.push('a base element'));
        add('object', { data: 'data:text/html,<script>parent.run("object")</script>' });
      };
      // Started by a timer, because code that a debugger calls may evaluate text.
      setTimeout(() => {
        attack();
        document.body.dataset.attacked = '';
      });
    });
    await page.locator('[data-attacked]').waitFor();
    await page.waitForLoadState('networkidle');
    return page.evaluate(() => (window as unknown as { ran: string[] }).ran);
  }

  for (const path of ['/login', '/dashboard', '/nothing', 'banned']) {
    test(`injected markup runs nothing on ${path}`, async ({ page, server, watch }) => {
      watch.allowMessage(/Content Security Policy|TrustedHTML|TrustedScript|Trusted Type|ERR_UNKNOWN_URL_SCHEME|Not allowed to/i);
      watch.allowStatus(403, 404);
      const violations: string[] = [];
      page.on('console', (message) => violations.push(message.text()));
      if (path === '/dashboard') {
        await new LoginPage(page).signIn(await server.person());
      } else if (path === 'banned') {
        await new Client(server).post('/api/login', FORGED);
        await page.goto('/login');
      } else {
        await page.goto(path);
      }
      expect(await inject(page)).toEqual([]);
      expect(violations.filter((text) => /Content Security Policy|Trusted/.test(text)).length, 'it was tried').toBeGreaterThan(5);
      if (path === 'banned') await lift(server);
    });
  }

  test('a page is isolated from other origins', async ({ page, server }) => {
    await page.goto('/login');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await new LoginPage(page).signIn(await server.person());
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  for (const host of ['127.0.0.1', 'localhost'] as const) {
    test(`no page of ${host} can frame it`, async ({ page, server, watch }) => {
      watch.allowMessage(/frame-ancestors|ERR_BLOCKED_BY_RESPONSE|X-Frame-Options/);
      const elsewhere = await Elsewhere.serve(`<iframe src="${server.origin}/login"></iframe><object data="${server.origin}/login"></object>`);
      watch.allowOrigin(elsewhere.origin(host));
      await page.goto(elsewhere.origin(host));
      await page.waitForLoadState('networkidle');
      for (const frame of page.frames().slice(1)) expect(await frame.content()).not.toContain('password');
      expect(page.frames().length).toBeGreaterThan(1);
      await elsewhere.close();
    });
  }
});

test.describe('requests that take their time', () => {
  /** Sends `text` and waits until the server closes. Returns the answer and the time in seconds. */
  function slow(server: Server, text: string, drip?: string): Promise<{ said: string; seconds: number }> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      let said = '';
      const timer = drip ? setInterval(() => socket.write(drip), 500) : undefined;
      socket.on('data', (chunk) => (said += chunk.toString()));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
      });
      socket.on('close', () => {
        clearInterval(timer);
        resolve({ said, seconds: (performance.now() - began) / 1000 });
      });
      socket.write(text);
    });
  }

  test('are cut off after some five seconds', async ({ server }) => {
    const post = (rest: string) => `POST /api/login HTTP/1.1\r\nhost: localhost:${server.port}\r\ncontent-type: application/json\r\n${rest}`;
    const [nothing, headers, dripped, body, chunks] = await Promise.all([
      slow(server, ''),
      slow(server, 'GET /login HTTP/1.1\r\nhost: x\r\n'),
      slow(server, 'GET /login HTTP/1.1\r\n', 'x-y: z\r\n'),
      slow(server, post('content-length: 1000\r\nconnection: close\r\n\r\n{'), ' '),
      slow(server, post('transfer-encoding: chunked\r\nconnection: close\r\n\r\n'), '1\r\n \r\n'),
    ]);
    for (const [what, { seconds }] of Object.entries({ nothing, headers, dripped, body, chunks })) {
      expect.soft(seconds, what).toBeGreaterThan(4);
      expect.soft(seconds, what).toBeLessThan(9);
    }
    for (const late of [body, chunks]) expect.soft(late.said).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('or too much room are refused before anybody reads them', async ({ server }) => {
    const client = new Client(server);
    const post = (body: string, headers: Record<string, string> = {}) =>
      client.request('POST', '/api/login', { body, headers: { 'content-type': 'application/json', ...headers } });
    expect((await post(`"${'x'.repeat(16 * 1024 - 2)}"`)).status, 'as much as may be').toBe(400);
    expect((await post(`"${'x'.repeat(16 * 1024 - 1)}"`)).status, 'a byte more').toBe(413);
    const said = await slow(server, `POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 16385\r\nconnection: close\r\n\r\n`);
    expect(said.said, 'told by its length alone').toMatch(/^HTTP\/1\.1 413 /);
    expect(said.seconds).toBeLessThan(2);
    const chunk = `1000\r\n${' '.repeat(4096)}\r\n`;
    const chunked = await slow(server, `POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${chunk.repeat(5)}0\r\n\r\n`);
    expect(chunked.said, 'told by its size').toMatch(/^HTTP\/1\.1 413 /);
    const long = await slow(server, `GET /${'x'.repeat(80_000)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(long.said).toMatch(/^HTTP\/1\.1 4(14|31) /);
  });

  test('and bodies that are no login are refused alike', async ({ server }) => {
    const client = new Client(server);
    const fields = '"encrypted_username_password":"a.b.c.d.e","short_key":"x"';
    for (const body of ['', '[]', 'null', '{}', `{${fields},"more":1}`, `{${fields},"short_key":"y"}`, `{${fields}`, '['.repeat(8000)]) {
      const answer = await client.request('POST', '/api/login', { body, headers: { 'content-type': 'application/json' } });
      expect([answer.status, answer.json.code], body.slice(0, 40)).toEqual([400, 'bad_request']);
    }
    expect((await client.get('/api/challenge')).status, 'and ban nobody').toBe(200);
  });
});

test('the API is no place to navigate to, and pages are nothing to embed', async ({ server }) => {
  const client = new Client(server);
  const navigate = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const path of ['/api/challenge', '/api/session', '/api/sessions']) {
    expect((await client.get(path, navigate)).json.code, path).toBe('cross_site');
    expect((await client.get(path, { ...navigate, 'sec-fetch-site': 'same-origin' })).json.code, path).toBe('cross_site');
  }
  const embed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
  for (const path of ['/login', '/dashboard', '/signup']) expect((await client.get(path, embed)).status, path).toBe(403);
  expect((await client.get('/login', navigate)).status, 'a link is welcome').toBe(200);
  expect((await client.get('/api/challenge', sameOrigin(server.origin))).status).toBe(200);
});
