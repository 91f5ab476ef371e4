// Makes the images of docs/screenshots: POSTERN_BIN=... CHROMIUM=... npm run screenshots
import { chromium } from '@playwright/test';
import { spawn } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const port = 3998;
const origin = `http://localhost:${port}`;
const out = new URL('../docs/screenshots/', import.meta.url).pathname;
const data = mkdtempSync(join(tmpdir(), 'postern-pictures-'));
mkdirSync(out, { recursive: true });

const args = ['demo', '--set', `listen=127.0.0.1:${port}`, '--set', `public_url=${origin}`, '--data-dir', join(data, 'data')];
const settings = ['--set', "site.name=Ada's house", '--set', 'operator.listen=off', '--set', 'ban.invalid_credentials.ladder=["1s", "1d"]'];
const server = spawn(process.env.POSTERN_BIN, [...args, ...settings], { cwd: data, env: {}, stdio: ['ignore', 'pipe', 'inherit'] });
let link = '';
for await (const line of createInterface({ input: server.stdout })) {
  if (line.includes('#code=')) {
    link = line.trim();
    break;
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
const size = { width: 1000, height: 700 };
const page = await browser.newPage({ viewport: size, deviceScaleFactor: 2 });
const password = 'tadumi verosa kelunu pidira';
await page.goto(link);
await page.getByLabel('Name').fill('ada');
await page.getByLabel('Password', { exact: true }).fill(password);
await page.locator('button[type=submit]').click();
await page.waitForURL('**/dashboard');

const guess = await browser.newPage({ viewport: size, deviceScaleFactor: 2 });
await guess.goto(`${origin}/login`);
await guess.getByLabel('Name').fill('ada');
await guess.locator('button[type=submit]:enabled').waitFor();
await guess.screenshot({ path: join(out, 'login.png') });
await guess.getByLabel('Password', { exact: true }).fill('a guess');
await guess.locator('button[type=submit]').click();
await guess.getByRole('alert').getByText('Wrong name or password').waitFor();

await page.emulateMedia({ colorScheme: 'dark' });
await page.reload();
await page.screenshot({ path: join(out, 'dashboard.png') });

await page.emulateMedia({ colorScheme: 'light' });
await page.goto(`${origin}/dashboard/bans`);
await page.locator('.who button:enabled').waitFor();
await page.screenshot({ path: join(out, 'bans.png') });
await page.goto(`${origin}/dashboard/invitations`);
await page.getByLabel('Note (seen').fill('the cook');
await page.getByRole('button', { name: 'Create invitation' }).click();
await page.locator('dialog[open]').waitFor();
await page.screenshot({ path: join(out, 'invitation.png') });

await page.goto(`${origin}/dashboard/time`);
await page.getByRole('button', { name: 'Connect', exact: true }).click();
// Enough answers to fill the lines.
for (let answers = 0, last = ''; answers < 20; answers += 1) {
  await page.waitForFunction((seen) => document.querySelector('#clock')?.textContent !== seen, last);
  last = (await page.locator('#clock').textContent()) ?? '';
}
await page.screenshot({ path: join(out, 'time.png'), fullPage: true });

await browser.close();
server.kill('SIGTERM');
server.once('exit', () => rmSync(data, { recursive: true }));
