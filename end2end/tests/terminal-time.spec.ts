import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { blocks } from '../support/blocks';
import { CTRL_C, ENTER, Machine, plain, program, UP, type Terminal } from '../support/terminal';
import { expect, test as base } from '../support/test';
import { TimeServer } from '../support/time-server';

const test = base.extend<{ machine: Machine; time: TimeServer }>({
  machine: async ({}, use) => {
    const machine = await Machine.make();
    await use(machine);
    await machine.remove();
  },
  time: async ({ server }, use) => {
    const time = await TimeServer.beside(server);
    await use(time);
    await time.end();
    expect(time.log).not.toContain('panicked');
  },
});

const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z {2}offset [+-]\d+\.\d{3} ms {2}round trip \d+\.\d{3} ms/;

/** Selects an entry of a menu by its position from the top, or from the end. */
async function choose(terminal: Terminal, place: number, last: RegExp): Promise<void> {
  await terminal.shows(last);
  const [key, times] = place < 0 ? [UP, -place] : ['j', place];
  terminal.type(key.repeat(times) + ENTER);
}

/** Reduces what differs from one run to the next: ids, files, networks, numbers and the width of columns. */
function shape(shown: string): string {
  return plain(shown)
    .replace(/\S+\.json/g, 'FILE')
    .replace(/[\d.]+\/\d+|[\da-f:]+::\/\d+/g, 'NETWORK')
    .replace(/(?<![\w-])[\w-]{22}(?![\w-])/g, 'ID')
    .replace(/[+-]?\d+(\.\d+)?/g, '0')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ /gm, '')
    .replaceAll('\r', '')
    .trim();
}

test.describe('with a time server', () => {
  test.use({ alone: true });

  test('the commands of the manual print what it says', async ({ server, machine, time }) => {
    void time;
    const person = await server.person();
    const page = readFileSync(join(__dirname, '../../docs/terminal.md'), 'utf8');
    const session = blocks(page).find(({ language }) => language === 'console');
    const steps = (session?.text ?? '').split(/^\$ /m).slice(1).map((step) => step.split(/\n(.*)/s));
    expect(steps.length).toBeGreaterThan(5);
    symlinkSync(program(), join(machine.home, 'postern-client'));
    writeFileSync(join(machine.home, 'password'), `${person.password}\n`);
    const here = (text: string) => text.replaceAll('https://auth.example.com', server.origin).replace(/\bada\b/g, person.name);
    for (const [command = '', expected = ''] of steps) {
      const terminal = machine.terminalShell(`PATH=$HOME:$PATH; ${here(command)}`);
      expect(await terminal.ended, `${command}: ${terminal.shown}`).toBe(0);
      expect(shape(terminal.shown), command).toBe(shape(here(expected)));
    }
  });

  test('from the login through the menu: a new key, the time, exit, sign out', async ({ server, machine, time }) => {
    void time;
    const person = await server.person();
    const terminal = machine.terminal(['login', person.name, '--server', server.origin]);
    await terminal.shows(/Password: $/);
    terminal.line(person.password);
    const bottom = /Quit, and stay signed in/;
    await choose(terminal, 2, bottom);
    await terminal.shows(/1 +in use/);
    await choose(terminal, 1, /Rotate my key/);
    await terminal.shows(/Make a new version\?/);
    terminal.type('y');
    await terminal.shows(/Version 2 is in use\.\s+The previous version is valid for 1h more/);
    await choose(terminal, 3, bottom);
    await terminal.shows(/time> $/);
    terminal.line('time');
    await terminal.shows(MOMENT);
    terminal.line('what');
    await terminal.shows(/Unknown command "what"/);
    terminal.line('time');
    await terminal.shows(MOMENT);
    terminal.line('exit');
    await choose(terminal, -2, bottom);
    await terminal.shows(/Signed out/);
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown).not.toContain(person.password);
  });

  test('in a pipe: the time as JSON, keys rotated and revoked', async ({ server, machine, time }) => {
    const person = await server.person();
    await machine.run(['login', person.name, '--server', server.origin, '--password-stdin'], `${person.password}\n`);
    const told = await machine.run(['time', '--json']);
    expect(told, told.stderr).toMatchObject({ code: 0, stderr: '' });
    const reading = JSON.parse(told.stdout);
    expect(reading).toEqual({ time: expect.stringMatching(/\.\d{9}Z$/), offset_ns: expect.any(Number), round_trip_ns: expect.any(Number), version: 1 });
    expect(Math.abs(Date.parse(reading.time) - Date.now())).toBeLessThan(60_000);
    expect((await machine.run(['time', '--time-server', `127.0.0.1:${time.tcp}`])).stdout).toMatch(MOMENT);
    expect((await machine.run(['time', '--time-server', '127.0.0.1:9'])).code).toBe(5);

    const rotated = JSON.parse((await machine.run(['keys', 'rotate', '--json'])).stdout);
    expect(rotated.keys.map(({ version, state }: { version: number; state: string }) => [version, state])).toEqual([[2, 'current'], [1, 'overlap']]);
    expect(JSON.parse((await machine.run(['time', '--json'])).stdout).version).toBe(2);
    expect((await machine.run(['keys', 'revoke', '1'])).code).toBe(2);
    expect((await machine.run(['keys', 'revoke', '1', '--yes'])).code).toBe(0);
    expect((await machine.run(['keys', 'revoke', '7', '--yes'])).code).toBe(4);
    const shown = await machine.run(['keys', 'show']);
    expect(shown.stdout.split('\n').map((line) => line.split('\t').slice(0, 2))).toEqual([['2', 'in use'], ['1', 'revoked'], ['']]);
  });

  test('a connection is renewed in time; a rotation ends it with the overlap, and the client comes back under the new key', async ({ server, machine, time }) => {
    let connections = 0;
    const between = createServer((near) => {
      connections += 1;
      const far = connect(time.tcp, '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
    const { port } = between.address() as AddressInfo;
    await server.restart({ 'keys.overlap': '8s' });
    const person = await server.person();
    await machine.run(['login', person.name, '--server', server.origin, '--password-stdin'], `${person.password}\n`);
    const watching = machine.terminal(['time', '--watch', '--time-server', `127.0.0.1:${port}`]);
    // Longer than the overlap: the client has sent a new ticket meanwhile.
    for (let seconds = 0; seconds < 12; seconds += 1) await watching.shows(MOMENT);
    expect(connections).toBe(1);
    expect((await machine.run(['keys', 'rotate'])).code).toBe(0);
    await watching.shows(/The key was rotated: connected again/);
    await watching.shows(MOMENT);
    expect(connections).toBe(2);
    watching.type(CTRL_C);
    expect(await watching.ended).toBe(0);
    between.close();
  });
});
