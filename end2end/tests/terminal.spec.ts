import { Client } from '../support/client';
import { claims } from '../support/cookies';
import { lift } from '../support/lift';
import type { Person, Server } from '../support/server';
import { CTRL_C, ENTER, Machine, plain, UP, type Terminal } from '../support/terminal';
import { expect, test as base } from '../support/test';

const test = base.extend<{ machine: Machine }>({
  machine: async ({}, use) => {
    const machine = await Machine.make();
    await use(machine);
    await machine.remove();
  },
});

async function signIn(machine: Machine, server: Server, person: Person, ...more: string[]) {
  return machine.run(['login', person.name, '--server', server.origin, '--password-stdin', ...more], `${person.password}\n`);
}

/** Selects an entry of a menu by its position from the top, or from the end. */
function choose(terminal: Terminal, place: number): void {
  const [key, times] = place < 0 ? [UP, -place] : ['j', place];
  terminal.type(key.repeat(times) + ENTER);
}

test('a login at a terminal asks without echo, opens the menu, and ends there', async ({ server, machine }) => {
  const person = await server.person();
  const terminal = machine.terminal(['login', person.name, '--server', server.origin]);
  await terminal.shows(/Password: $/);
  terminal.line(person.password);
  await terminal.shows(new RegExp(`Signed in at ${server.origin} as ${person.name}`));
  await terminal.shows(/Quit, and stay signed in/);
  choose(terminal, 0);
  await terminal.shows(new RegExp(`${person.name} at ${server.origin}`));
  await terminal.shows(/Kept in {2}.*config\/postern-client/);
  await terminal.shows(/Quit, and stay signed in/);
  choose(terminal, -2);
  await terminal.shows(/Signed out/);
  expect(await terminal.ended).toBe(0);
  expect(terminal.shown).not.toContain(person.password);
  expect(plain(terminal.shown)).not.toBe(terminal.shown);
  expect(plain(terminal.shown)).not.toContain('Server keys');
  expect((await machine.run(['whoami'])).code).toBe(3);
});

test("an administrator replaces the server's envelope key from the menu", async ({ server, machine }) => {
  const person = await server.person('administrator');
  expect((await signIn(machine, server, person)).code).toBe(0);
  const terminal = machine.terminal(['menu']);
  await terminal.shows(/Quit, and stay signed in/);
  choose(terminal, 4);
  await terminal.shows(/envelope .* in use[^]*signing .* in use|signing .* in use[^]*envelope .* in use/);
  await terminal.shows(/Rotate the signing key/);
  choose(terminal, 1);
  await terminal.shows(/Make a new one\?/);
  terminal.type('y');
  await terminal.shows(/envelope .* next/);
  await terminal.shows(/Quit, and stay signed in/);
  choose(terminal, -1);
  expect(await terminal.ended).toBe(0);
  expect((await signIn(machine, server, person)).code).toBe(0);
});

test('Ctrl-C at the menu gives the cursor back', async ({ server, machine }) => {
  const person = await server.person();
  expect((await signIn(machine, server, person)).code).toBe(0);
  const terminal = machine.terminal(['menu']);
  await terminal.shows(/Quit, and stay signed in/);
  terminal.type(CTRL_C);
  expect(await terminal.ended).toBe(130);
  expect(terminal.shown.lastIndexOf('\x1b[?25h')).toBeGreaterThan(terminal.shown.lastIndexOf('\x1b[?25l'));
});

test('Ctrl-C at the password gives the echo back', async ({ server, machine }) => {
  const terminal = machine.terminalShell(`trap : INT; "$0" login ada --server ${server.origin}; echo "ended with $?"; stty -a`);
  await terminal.shows(/Password: $/);
  terminal.type('half of it');
  terminal.type(CTRL_C);
  await terminal.shows(/ended with 130/);
  await terminal.shows(/[^-]echo /);
  await terminal.ended;
  expect(terminal.shown).not.toContain('half of it');
});

test('in a pipe there are no colours, JSON is JSON, and exit codes say what happened', async ({ server, machine }) => {
  const person = await server.person();
  const before = await machine.run(['sessions', '--server', server.origin, '--json']);
  expect(before.code).toBe(3);
  expect(JSON.parse(before.stderr)).toMatchObject({ exit: 3, problem: null });

  const login = await signIn(machine, server, person, '--json');
  expect(login.code, login.stderr).toBe(0);
  const me = JSON.parse(login.stdout);
  expect(me).toMatchObject({ server: server.origin, username: person.name, bound: true, roles: ['user'], storage: 'file' });
  expect(JSON.parse((await machine.run(['whoami', '--json'])).stdout)).toEqual(me);

  const all = [['whoami'], ['sessions'], ['--help'], ['help', 'login'], ['whoami', '--nonsense'], ['sessions', 'end', 'nobody']];
  const results = await Promise.all(all.map((args) => machine.run(args)));
  for (const [at, { stdout, stderr }] of results.entries()) {
    expect(stdout + stderr, all[at]?.join(' ')).not.toContain('\x1b');
    expect(stdout + stderr, all[at]?.join(' ')).not.toMatch(/panicked/);
  }
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 2, 4]);
  expect(results[1]?.stdout).toMatch(new RegExp(`^${me.session}\\t.*\\there\\n$`));
  expect((await machine.run(['whoami', '--server', 'http://127.0.0.1:9'])).code).toBe(3);
  expect((await machine.run(['login', 'a', '--server', 'http://127.0.0.1:9', '--password-stdin'], 'b\n')).code).toBe(5);
  expect((await machine.run(['login', 'a', '--server', 'http://192.0.2.1', '--password-stdin'], 'b\n')).code).toBe(2);
  expect((await machine.run(['menu'])).code).toBe(2);
});

test('what is kept is for its owner alone, in one place, and used no more once others could read it', async ({ server, machine }) => {
  const person = await server.person();
  await signIn(machine, server, person);
  const kept = await machine.kept();
  const [secret, ...more] = [...kept].filter(([, { text }]) => text.includes('refresh_token'));
  expect(more).toEqual([]);
  expect(secret?.[0]).toBe(`http_localhost_${server.port}.json`);
  for (const [name, { mode, text }] of kept) {
    expect(text, name).not.toContain(person.password);
    if (text !== '') expect(mode, name).toBe(0o600);
  }
  const path = `${machine.home}/config/postern-client/${secret?.[0]}`;
  await machine.shell(`chmod 644 ${path}`);
  const exposed = await machine.run(['whoami']);
  expect(exposed.code).toBe(1);
  expect(exposed.stderr).toContain('other users can read');
  await machine.shell(`chmod 600 ${path}`);
  expect((await machine.run(['logout'])).code).toBe(0);
  expect([...(await machine.kept()).keys()].sort()).toEqual(['default.json', `http_localhost_${server.port}.lock`]);
});

test('a second login ends the session before it', async ({ server, machine }) => {
  const person = await server.person();
  const first = JSON.parse((await signIn(machine, server, person, '--json')).stdout);
  const second = JSON.parse((await signIn(machine, server, person, '--json')).stdout);
  const { devices } = JSON.parse((await machine.run(['sessions', '--json'])).stdout);
  expect(devices.map(({ id }: { id: string }) => id)).toEqual([second.session]);
  expect(second.session).not.toBe(first.session);
});

test('a session in a keyring that is out of reach neither stops a login nor stays alive', async ({ server, machine }) => {
  const person = await server.person();
  const first = JSON.parse((await signIn(machine, server, person, '--json')).stdout);
  // As if a login on the desktop had stored it; this machine has no keyring.
  const path = `config/postern-client/http_localhost_${server.port}.json`;
  const marker = JSON.stringify({ storage: 'keyring', origin: server.origin, name: first.session });
  await machine.shell(`printf '%s' '${marker}' > ${path}`);
  expect((await machine.run(['whoami'])).code).toBe(1);

  const again = await signIn(machine, server, person);
  expect(again.code).toBe(0);
  expect(again.stderr).toContain('The previous session has ended');
  expect(again.stderr).toContain(`its item "postern" of "${server.origin}" may still hold old secrets`);
  const { devices } = JSON.parse((await machine.run(['sessions', '--json'])).stdout);
  expect(devices).toHaveLength(1);
  expect(devices[0].id).not.toBe(first.session);
  const out = await machine.run(['logout']);
  expect(out.code).toBe(0);
  expect(out.stderr).toContain('Not removed');
});

test('what cannot be kept is not left alive', async ({ server, machine }) => {
  const person = await server.person();
  const refused = await signIn(machine, server, person, '--storage', 'keyring');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('--storage file');
  const kept = await signIn(machine, server, person, '--json');
  expect(kept.code).toBe(0);
  const { devices } = JSON.parse((await machine.run(['sessions', '--json'])).stdout);
  expect(devices).toHaveLength(1);
});

test('another session is ended from here, and this one from elsewhere', async ({ server, machine }) => {
  const person = await server.person();
  await signIn(machine, server, person);
  const other = (await new Client(server).login(person)).json;
  expect((await machine.run(['sessions', 'end', other.session.id])).code).toBe(0);
  expect((await new Client(server).session(other.tokens.access_token)).status).toBe(401);

  expect((await server.command(['session', 'end', person.name])).code).toBe(0);
  await expect.poll(async () => (await machine.run(['whoami'])).code, { timeout: 20_000 }).toBe(3);
  expect((await machine.run(['logout'])).code).toBe(0);
});

test('the token goes to the API of the portal and nowhere else', async ({ server, machine }) => {
  const person = await server.person();
  await signIn(machine, server, person);
  const session = await machine.run(['get', '/api/session']);
  expect(JSON.parse(session.stdout)).toMatchObject({ username: person.name });
  expect((await machine.run(['get', `${server.origin}/api/session?a=b`])).code).toBe(0);
  expect((await machine.run(['get', '/api/../api/session'])).code).toBe(0);
  expect((await machine.run(['get', '/.well-known/jwks.json'])).stdout).toContain('"keys"');

  const page = await machine.run(['get', '/dashboard', '--json']);
  expect(page.code).toBe(4);
  expect(JSON.parse(page.stdout).status).toBe(303);
  const refused = await machine.run(['get', '/api/admin/users']);
  expect(refused.code).toBe(4);
  expect(JSON.parse(refused.stdout).code).toBe('forbidden');

  const asked: (string | undefined)[] = [];
  const { createServer } = await import('node:http');
  const elsewhere = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.end('hello');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const { port } = elsewhere.address() as { port: number };
  const answer = await machine.run(['get', `http://127.0.0.1:${port}/api/session`]);
  elsewhere.close();
  expect(answer).toMatchObject({ code: 0, stdout: 'hello' });
  expect(answer.stderr).toContain('Fetching without a token');
  expect(asked).toEqual([undefined]);
});

test('a reader who goes away is no error', async ({ server, machine }) => {
  await signIn(machine, server, await server.person());
  for (const command of ['completions bash', 'sessions', 'whoami --json', '--help']) {
    const ended = await machine.shell(`"$0" ${command} | true; "$0" ${command} | head -c 1 >/dev/null`);
    expect(ended.stderr, command).toBe('');
  }
});

test.describe('after a wrong password', () => {
  // The standard's two seconds may be over before the next program asks.
  test.use({ settings: { 'ban.invalid_credentials.ladder': '["9s"]' } });

  test('a mistyped password is asked for again, and a wait is waited', async ({ server, machine }) => {
    const person = await server.person();
    const terminal = machine.terminal(['login', person.name, '--server', server.origin, '--no-menu']);
    await terminal.shows(/Password: $/);
    terminal.line('not this one');
    await terminal.shows(/Wrong name or password/);
    await terminal.shows(/Password: $/);
    terminal.line(person.password);
    await terminal.shows(/Trying again in \d+ s\./);
    await terminal.shows(/Signed in/);
    expect(await terminal.ended).toBe(0);
  });

  test('a wrong password is refused, and whoever will not wait is told how long', async ({ server, machine }) => {
    const person = await server.person();
    const wrong = await machine.run(['login', person.name, '--server', server.origin, '--password-stdin', '--json'], 'wrong\n');
    expect(wrong.code).toBe(4);
    expect(JSON.parse(wrong.stderr).problem.code).toBe('wrong_credentials');
    const closed = await signIn(machine, server, person, '--wait', '0', '--json');
    expect(closed.code).toBe(6);
    const said = closed.stderr.trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(said).problem).toMatchObject({ code: 'banned', retry_after: expect.any(Number) });
    await lift(server);
  });
});

test.describe('when the access token has run out', () => {
  test.use({ settings: { 'session.access': '2s' } });

  test('many programs at once refresh it once, and nobody is signed out', async ({ server, machine }) => {
    const person = await server.person();
    const login = JSON.parse((await signIn(machine, server, person, '--json')).stdout);
    const token = async () => {
      const files = [...(await machine.kept())].map(([, { text }]) => text);
      return JSON.parse(files.find((text) => text.includes('access_token')) ?? '').content.access_token as string;
    };
    const first = await token();
    await expect.poll(() => claims(first).exp * 1000 <= Date.now(), { intervals: [100] }).toBe(true);
    const results = await Promise.all(Array.from({ length: 8 }, () => machine.run(['whoami', '--json'])));
    expect(results.map(({ code, stderr }) => `${code}${stderr}`)).toEqual(Array.from({ length: 8 }, () => '0'));
    expect(new Set(results.map(({ stdout }) => JSON.parse(stdout).session))).toEqual(new Set([login.session]));
    const audit = await server.command(['audit', '--user', person.name, '--json']);
    expect(audit.stdout).not.toContain('reused');
    const { gen } = JSON.parse(Buffer.from((await token()).split('.')[1] ?? '', 'base64url').toString());
    expect(gen).toBeLessThan(4);
  });
});
