import { freePort } from '../support/server';
import { Machine } from '../support/terminal';
import { expect, test as base } from '../support/test';

// A terminal does not resolve `*.localhost`: here the app's host is localhost, and the portal's an address.
const test = base.extend<{ app: string; machine: Machine }, { ports: [number, number, number, number] }>({
  ports: [async ({}, use) => use([await freePort(), await freePort(), await freePort(), await freePort()]), { scope: 'worker' }],
  app: async ({ ports }, use) => use(`http://localhost:${ports[2]}`),
  settings: async ({ ports: [time, tcp, , portal], app }, use) =>
    use({
      listen: `127.0.0.1:${portal}`,
      public_url: `http://127.0.0.1:${portal}`,
      allow_insecure_http: 'true',
      trusted_proxies: '["127.0.0.1"]',
      'time.url': `ws://127.0.0.1:${time}/time`,
      'time.tcp': `127.0.0.1:${tcp}`,
      apps: `[{ name = "hello", origin = "${app}" }]`,
    }),
  machine: async ({}, use) => {
    const machine = await Machine.make();
    await use(machine);
    await machine.remove();
  },
});

test.use({ verb: 'demo' });

test('get brings an app behind the portal a token of its own, with a proof', async ({ server, app, machine }) => {
  const person = await server.person();
  const stranger = await machine.run(['get', `${app}/`]);
  expect(stranger.code).not.toBe(0);
  expect(stranger.stdout).toContain('no_session');

  const login = await machine.run(['login', person.name, '--server', server.origin, '--password-stdin'], `${person.password}\n`);
  expect(login.code, login.stderr).toBe(0);
  const hello = await machine.run(['get', `${app}/?a=b`]);
  expect([hello.code, hello.stderr]).toEqual([0, '']);
  expect(hello.stdout).toContain(`Hello, ${person.name}!`);
  const me = JSON.parse((await machine.run(['get', `${app}/me`, '--json'])).stdout);
  expect(me).toMatchObject({ status: 200, body: { iss: server.origin, preferred_username: person.name } });

  const elsewhere = await machine.run(['get', `http://127.0.0.1:${await freePort()}/`]);
  expect(elsewhere.stderr).toContain('The portal does not know this app');
  expect((await machine.run(['logout'])).code).toBe(0);
  expect((await machine.run(['get', `${app}/`])).stdout).toContain('no_session');
});
