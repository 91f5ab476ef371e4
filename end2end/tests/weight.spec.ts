import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '../support/test';

/** The program of the measurements, which prints what a browser's first visit loads: files with their bytes on the wire. */
const PROGRAM = join(__dirname, '../../bench/browser/page.mjs');

// Everything that adds to the page.
test.use({
  settings: {
    'site.name': 'The Family Association of Upper and Lower Franconia, founded in Nuremberg, 1987',
    'signup.mode': 'open',
    'session.remember_device': '30d',
    'mail.server': 'localhost',
    'mail.security': 'off',
    'mail.from': 'postern@example.org',
  },
});

test('the first visit of /login loads less than 95,000 bytes in at most eight requests', async ({ server, launchOptions }) => {
  await server.person();
  const env = { ...process.env, CHROMIUM: launchOptions.executablePath };
  const { stdout } = await promisify(execFile)('node', [PROGRAM, server.origin], { env });
  const files: { name: string; bytes: number }[] = JSON.parse(stdout);
  expect(files.length, stdout).toBeLessThanOrEqual(8);
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0), stdout).toBeLessThan(95_000);
});
