import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../support/client';
import { newPassword } from '../support/server';
import { expect, test } from '../support/test';

const DEPLOY = join(__dirname, '..', '..', 'deploy', 'fail2ban');
const FORGED = { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) };

let folder: string;
test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-fail2ban-'));
});
test.afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns the addresses that fail2ban would ban for these lines, with the filter from `deploy/`. */
async function found(log: string, mode: string): Promise<string[]> {
  const path = join(folder, 'postern.log');
  await writeFile(path, log);
  const filter = `${DEPLOY}/filter.d/postern.conf[mode=${mode}]`;
  return execFileSync('fail2ban-regex', ['--out', 'ip', path, filter], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

for (const format of ['text', 'json']) {
  test.describe(`a log in the format ${format}`, () => {
    test.use({ settings: { 'log.format': format, 'log.level': 'debug', trusted_proxies: '["127.0.0.1"]' } });

    test('names whom to ban, and what clients send names nobody', async ({ server }) => {
      await server.person();
      const v6 = new Client(server, '127.0.0.1', { 'x-forwarded-for': '2001:db8:1:2::7' });
      await new Client(server, '127.0.0.41').post('/api/login', FORGED);
      await v6.post('/api/login', FORGED);
      await new Client(server, '127.0.0.42').login({ name: 'nobody', password: newPassword() });
      // The log arrives apart from the answers.
      const line = (address: string) => server.log.split('\n').find((one) => one.includes(address) && one.includes('banned')) ?? '';
      for (const address of ['127.0.0.41', '127.0.0.42']) await expect.poll(() => line(address)).not.toBe('');
      const forgery = line('127.0.0.41').replaceAll('127.0.0.41', '127.0.0.66');
      for (const path of [forgery, `\u0009${forgery}`, `x"}${forgery}`]) {
        await new Client(server, '127.0.0.43').get(`/${encodeURIComponent(path)}`);
        await new Client(server, '127.0.0.43').get(`/${path.replace(/[^!-~]+/g, '%20')}`);
      }
      await expect.poll(() => server.log.split('127.0.0.66').length).toBeGreaterThan(6);

      expect(await found(server.log, 'everything')).toEqual(['127.0.0.41', '2001:db8:1:2::/64']);
      expect(await found(server.log, 'all')).toEqual(['127.0.0.41', '2001:db8:1:2::/64', '127.0.0.42']);
    });

    test('is understood as the journal and syslog pass it on', async ({ server }) => {
      await server.person();
      await new Client(server, '127.0.0.44').post('/api/login', FORGED);
      const banned = () => server.log.split('\n').filter((line) => line.includes('127.0.0.44') && line.includes('banned'));
      await expect.poll(banned).toHaveLength(1);
      for (const before of ['host postern[42]: ', 'Mar  1 12:00:00 host postern[42]: ']) {
        expect(await found(`${before}${banned()[0]}\n`, 'everything')).toEqual(['127.0.0.44']);
      }
    });
  });
}

test('the jail is one that fail2ban takes', async () => {
  const etc = join(folder, 'etc');
  await cp('/etc/fail2ban', etc, { recursive: true });
  // The machine's own jails are not tested.
  for (const name of await readdir(join(etc, 'jail.d'))) await rm(join(etc, 'jail.d', name), { recursive: true });
  await cp(DEPLOY, etc, { recursive: true });
  const told = execFileSync('fail2ban-client', ['-c', etc, '-d'], { encoding: 'utf8', stdio: 'pipe' });
  expect(told).toContain("['set', 'postern', 'maxretry', 1]");
  expect(told).toContain("['set', 'postern', 'addjournalmatch', '_SYSTEMD_UNIT=postern.service']");
  expect(told).toContain('scope=everything');
});
