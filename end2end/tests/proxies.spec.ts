import { Agent, request } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { Proxy, type Kind } from '../support/proxy';
import { freePort, newPassword, type Server } from '../support/server';
import { expect, test as base } from '../support/test';

/** A proxy and its configuration: the program, and the changes that the configuration's comments offer. */
interface Way {
  kind: Kind;
  changes: [string, string][];
}

const test = base.extend<{ way: Way; front: Proxy }, { frontPort: number }>({
  way: [{ kind: 'nginx', changes: [] }, { option: true }],

  /** The port on which the proxies of this worker listen in turn, because the server needs it first. */
  frontPort: [async ({}, use) => use(await freePort()), { scope: 'worker' }],

  settings: async ({ frontPort, way }, use) =>
    use({
      public_url: `https://localhost:${frontPort}`,
      trusted_proxies: '["127.0.0.1"]',
      client_address: way.kind === 'haproxy' ? 'proxy-protocol' : 'x-forwarded-for',
      'ban.limits.at_once': '20',
      'ban.limits.per_minute': '600',
    }),

  front: async ({ server, frontPort, way, watch }, use) => {
    const proxy = await Proxy.start(way.kind, server.port, frontPort, way.changes);
    await use(proxy);
    watch.end();
    await proxy.end();
  },
});

test.use({ ignoreHTTPSErrors: true });

const FORGED = { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) };

/** Causes a ban of the client's address. */
async function forge(client: Client): Promise<void> {
  const answer = await client.post('/api/login', FORGED);
  expect([answer.status, answer.json.code]).toEqual([403, 'short_key_forged']);
}

/** Returns the addresses with a full ban, as shown to an operator. */
async function closed(server: Server): Promise<string[]> {
  const { stdout } = await server.command(['ban', 'list']);
  return stdout.split('\n').flatMap((line) => /^(\S+)\teverything/.exec(line)?.[1] ?? []);
}

const WAYS: Record<string, Way> = {
  nginx: { kind: 'nginx', changes: [] },
  'nginx, appending': {
    kind: 'nginx',
    changes: [['X-Forwarded-For $remote_addr', 'X-Forwarded-For $proxy_add_x_forwarded_for']],
  },
  caddy: { kind: 'caddy', changes: [] },
  haproxy: { kind: 'haproxy', changes: [] },
  traefik: { kind: 'traefik', changes: [] },
};

Object.entries(WAYS).forEach(([name, way], index) => {
  /** Returns addresses that only this configuration uses, because bans remain. */
  const address = (number: number) => `127.0.${index + 1}.${number}`;

  test.describe(name, () => {
    test.use({ way });

    test('signing in works in a browser, over HTTP/2', async ({ page, server, front }) => {
      const ada = await server.person();
      await new LoginPage(page).signIn(ada);
      expect(new URL(page.url()).origin).toBe(front.origin);
      await expect(new Dashboard(page).name).toHaveText(ada.name);
      const [navigation] = await page.evaluate(() => performance.getEntriesByType('navigation').map((entry) => entry.toJSON()));
      expect(navigation.nextHopProtocol).toBe('h2');
    });

    test('headers arrive as Postern set them', async ({ server, front }) => {
      const through = new Client(front, address(1));
      const straight = new Client(server, address(9));
      /** Headers that differ for each answer or connection. */
      const OWN = ['date', 'server', 'via', 'alt-svc', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'dpop-nonce', 'x-request-id'];
      const lasting = (headers: object) =>
        Object.entries(headers)
          .filter(([header]) => !OWN.includes(header))
          .map(([header, value]) => `${header}: ${String(value).replaceAll(/'nonce-[^']+'/g, "'nonce'")}`)
          .sort();
      for (const path of ['/login', '/api/session', '/.well-known/postern', '/nothing']) {
        const [expected, got] = [await straight.get(path), await through.get(path)];
        expect(got.status, path).toBe(expected.status);
        expect(lasting(got.headers), path).toEqual(lasting(expected.headers));
      }
      expect((await through.get('/login')).headers['strict-transport-security']).toContain('max-age=');
    });

    // Caddy and Traefik leave this to Postern, which may close the connection before they have sent everything: a 413
    // or a 502.
    if (way.kind !== 'caddy' && way.kind !== 'traefik') {
      test('a body that is too long is refused', async ({ front }) => {
        const client = new Client(front, address(7));
        const long = await client.post('/api/login', { ...FORGED, short_key: 'A'.repeat(20_000) });
        expect(long.status).toBe(413);
        expect((await client.get('/api/challenge')).status, 'that is no offence').toBe(200);
      });
    }

    test('who offends is banned, and nobody else', async ({ server, front }) => {
      const [offender, neighbour] = [new Client(front, address(2)), new Client(front, address(3))];
      await forge(offender);
      // One after the other over the same connections between the proxy and Postern.
      for (let round = 0; round < 4; round += 1) {
        expect((await offender.get('/login')).status).toBe(403);
        expect((await offender.get('/api/challenge')).json.code).toBe('banned');
        expect((await neighbour.get('/login')).status).toBe(200);
        expect((await neighbour.get('/api/challenge')).status).toBe(200);
      }
      const list = await closed(server);
      expect(list).toContain(address(2));
      expect(list).not.toContain(address(3));
      expect(list).not.toContain('127.0.0.1');
    });

    test('a spoofed header neither bans a victim nor frees an attacker', async ({ server, front }) => {
      const victim = address(4);
      const lies = (whom: string): Record<string, string>[] => [
        { 'x-forwarded-for': whom },
        { 'x-forwarded-for': `${whom}, 127.0.0.1` },
        { 'x-forwarded-for': `127.0.0.1, ${whom}, ` },
        { forwarded: `for=${whom}` },
        { forwarded: `for=${whom}`, 'x-forwarded-for': whom, 'x-real-ip': whom, 'true-client-ip': whom, 'client-ip': whom },
      ];
      for (const [number, lie] of lies(victim).entries()) {
        const attacker = address(10 + number);
        await forge(new Client(front, attacker, lie));
        for (const excuse of lies('198.51.100.1')) {
          expect((await new Client(front, attacker, excuse).get('/login')).status, JSON.stringify(excuse)).toBe(403);
        }
        expect(await closed(server), JSON.stringify(lie)).toContain(attacker);
      }
      expect((await new Client(front, victim).get('/login')).status).toBe(200);
      const list = await closed(server);
      for (const innocent of [victim, '127.0.0.1', '198.51.100.1']) expect(list).not.toContain(innocent);
    });

    test('who asks too fast is told how long to wait, and is no attacker', async ({ server, front }) => {
      const [hasty, neighbour] = [new Client(front, address(30)), new Client(front, address(31))];
      const answers = await Promise.all(Array.from({ length: 60 }, () => hasty.get('/api/challenge')));
      const busy = answers.filter((answer) => answer.status !== 200);
      expect(busy.length).toBeGreaterThan(0);
      expect(busy.length).toBeLessThan(60);
      for (const answer of busy) {
        expect([answer.status, answer.json.code]).toEqual([503, 'busy']);
        expect(Number(answer.headers['retry-after'])).toBe(answer.json.retry_after);
      }
      expect((await neighbour.get('/api/challenge')).status).toBe(200);
      expect(await closed(server)).not.toContain(address(30));
    });

    test('an account that is delayed says so with its waiting time', async ({ server, front }) => {
      const ada = await server.person();
      const wrong = { ...ada, password: newPassword() };
      // From the eleventh failure in a row the account is delayed.
      let delayed = await new Client(front, address(40)).login(wrong);
      for (let number = 41; number < 60 && delayed.status === 401; number += 1) {
        delayed = await new Client(front, address(number)).login(wrong);
      }
      expect([delayed.status, delayed.json.code]).toEqual([429, 'account_delayed']);
      expect(Number(delayed.headers['retry-after'])).toBe(delayed.json.retry_after);
    });

    test('a wrong password closes sign-in for its own address alone', async ({ server, front }) => {
      const ada = await server.person();
      const [guesser, owner] = [new Client(front, address(5)), new Client(front, address(6))];
      const wrong = await guesser.login({ ...ada, password: newPassword() });
      expect([wrong.status, wrong.json.code]).toEqual([401, 'wrong_credentials']);
      expect((await owner.login(ada)).status).toBe(200);
    });
  });
});

/** Starts a server that is busy, or that closes the connection after the whole request, and counts requests. */
async function stub(answer: string | undefined): Promise<{ port: number; arrived: () => number; close: () => Promise<void> }> {
  let arrived = 0;
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    let text = '';
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.endsWith('{"whole":true}')) return;
      arrived += 1;
      text = '';
      if (answer === undefined) socket.destroy();
      else socket.end(answer);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  };
  return { port: (listener.address() as AddressInfo).port, arrived: () => arrived, close };
}

for (const kind of ['nginx', 'caddy', 'haproxy', 'traefik'] as const) {
  test(`${kind} sends a POST once, whatever becomes of it, and passes our answer on`, async () => {
    const body = '{"status":503,"code":"busy"}';
    for (const [status, expected] of [
      ['503 Service Unavailable', 503],
      ['429 Too Many Requests', 429],
      [undefined, 502],
    ] as const) {
      const head = `Content-Type: application/problem+json\r\nRetry-After: 7\r\nContent-Length: ${body.length}\r\nConnection: close`;
      const behind = await stub(status && `HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`);
      const proxy = await Proxy.start(kind, behind.port, await freePort());
      try {
        const answer = await new Client(proxy).post('/api/login', { whole: true });
        expect(answer.status).toBe(expected);
        if (status) expect([answer.headers['retry-after'], answer.text]).toEqual(['7', body]);
        expect(behind.arrived(), String(status)).toBe(1);
      } finally {
        await proxy.end();
        await behind.close();
      }
    }
  });
}

/** Only a proxy's headers can name as many addresses as this needs: a machine has one address of its own. */
test('ten thousand addresses of one /64 are one client, and the next /64 is another', async ({ server }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const challenge = (from: string) =>
    new Promise<number>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.port, localAddress: '127.0.0.1', agent, path: '/api/challenge' };
      const sent = request({ ...options, headers: { 'x-forwarded-for': from } }, (response) => {
        response.resume().on('error', reject);
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', reject).end();
    });
  /** Returns an address; they are spread over all 64 bits. */
  const inside = (number: number) => `2001:db8:1:2:${[7919, 104729, 15485863, 1].map((prime) => ((number * prime) & 0xffff).toString(16)).join(':')}`;

  await forge(new Client(server, '127.0.0.1', { 'x-forwarded-for': inside(0) }));
  const statuses = new Map<number, number>();
  for (let done = 0; done < 10_000; done += 100) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, number) => challenge(inside(done + number))));
    for (const status of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect([...statuses]).toEqual([[403, 10_000]]);
  expect(await challenge('2001:db8:1:3::7')).toBe(200);
  expect((await closed(server)).filter((one) => one.includes(':'))).toEqual(['2001:db8:1:2::/64']);
  agent.destroy();
});

test('a header from a peer that is no proxy of ours is not read', async ({ server }) => {
  await forge(new Client(server, '127.0.9.1', { 'x-forwarded-for': '127.0.9.2' }));
  expect((await new Client(server, '127.0.9.1', { 'x-forwarded-for': '198.51.100.1' }).get('/api/challenge')).status).toBe(403);
  expect((await new Client(server, '127.0.9.2').get('/api/challenge')).status).toBe(200);
  // The log arrives apart from the answers.
  await expect.poll(() => (server.log.match(/this peer is not in trusted_proxies/g) ?? []).length).toBe(1);
});
