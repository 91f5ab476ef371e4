import type { Page } from '@playwright/test';
import { BansPage } from '../pages/bans';
import { LoginPage } from '../pages/login';
import { LOOKS, faults } from '../support/axe';
import { Client } from '../support/client';
import type { Server } from '../support/server';
import { expect, test } from '../support/test';

const ODD = '<img src=x onerror="alert(1)">';

async function office(page: Page, server: Server): Promise<BansPage> {
  await new LoginPage(page).signIn(await server.person('administrator'));
  const bans = new BansPage(page);
  await bans.open();
  return bans;
}

const forge = (server: Server, address: string) =>
  new Client(server, address).post('/api/login', { encrypted_username_password: 'a.b.c.d.e', short_key: 'A'.repeat(204) });

test('an administrator closes an address, sees why, and opens it again', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  const bans = await office(page, server);
  await bans.ban('203.0.113.7', ODD);
  await bans.done();
  await expect(bans.said).toHaveText('The address is banned.');
  const card = bans.card('203.0.113.7');
  await expect(card).toContainText(ODD);
  await expect(card).toContainText('banned from everything');
  await expect(card.locator('[data-until]')).toHaveText(/^(24 hours|1 day)$/);

  await test.step('it is found by its incident, and not among others', async () => {
    const incident = (await card.locator('code').textContent()) ?? '';
    await bans.word.fill(incident.toLowerCase());
    await page.getByRole('button', { name: 'Search' }).click();
    await bans.alive();
    await expect(bans.cards).toHaveCount(1);
    await bans.open('?word=203.0.113.8');
    await expect(bans.cards).toHaveCount(0);
    await expect(page.getByText('No ban matches.')).toBeVisible();
  });

  await bans.open();
  await bans.lift('203.0.113.7', 'It was our own monitor.');
  await bans.done();
  await expect(bans.said).toHaveText('The ban was lifted.');
  await expect(bans.card('203.0.113.7')).toHaveCount(0);
  await bans.open('?state=over&word=203.0.113.7');
  await expect(bans.card('203.0.113.7')).toContainText('Reason for lifting: It was our own monitor.');
});

test('a countdown counts', async ({ page, server }) => {
  const bans = await office(page, server);
  await server.command(['ban', 'add', '203.0.113.9', '--reason', 'A test.', '--for', '80s']);
  await bans.open('?word=203.0.113.9');
  const left = bans.card('203.0.113.9').locator('[data-until]');
  const before = (await left.textContent()) ?? '';
  expect(before).toMatch(/^\d+ seconds$/);
  await expect(left).not.toHaveText(before);
});

test('an administrator does not ban the own address by accident', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  watch.allowStatus(400, 409);
  const bans = await office(page, server);
  await expect(bans.force).toBeHidden();
  await bans.ban('nonsense', 'A test.');
  await expect(bans.said).toContainText('write 203.0.113.7');
  await bans.ban('127.0.0.1', 'A test.');
  await expect(bans.said).toContainText('This would ban your own address');
  await expect(bans.force).toBeFocused();
  expect((await server.command(['ban', 'list'])).stdout).not.toContain('127.0.0.1\t');
});

test('an address is explained', async ({ page, server }) => {
  await forge(server, '127.0.0.91');
  const bans = await office(page, server);
  await bans.explain('127.0.0.91');
  const panel = page.locator('#explain');
  await expect(panel).toContainText('127.0.0.91 is banned from everything');
  await expect(panel).toContainText('A sign-in was sent under a short_key that was not made here.');
  await expect(panel.getByRole('row', { name: /Wrong name or password/ })).toContainText('0 of 1');
  await bans.explain(ODD);
  await expect(panel).toContainText(`'${ODD}' is not an address`);
});

test('what is allowed is never closed, until it is taken off the list', async ({ page, server, watch }) => {
  // The first change on a page is refused with the nonce for its proof.
  watch.allowStatus(401);
  const bans = await office(page, server);
  const client = new Client(server, '127.0.0.95');
  await forge(server, '127.0.0.95');
  expect((await client.get('/login')).status).toBe(403);
  await bans.allow('127.0.0.95', 'The office');
  await bans.done();
  await expect(bans.allowlist).toContainText('127.0.0.95/32');
  await expect(bans.allowlist).toContainText('The office');
  expect((await client.get('/login')).status).toBe(200);
  expect((await forge(server, '127.0.0.95')).json.code).toBe('short_key_forged');
  expect((await client.get('/login')).status).toBe(200);
  await bans.allowlist.getByRole('button', { name: 'Remove 127.0.0.95/32 from the allowlist' }).click();
  await bans.done();
  await expect(bans.allowlist).toHaveCount(0);
  expect((await client.get('/login')).status).toBe(403);
});

test('refusals are seen as they happen, counted, and exported', async ({ page, server }) => {
  await office(page, server);
  await page.goto('/dashboard/audit');
  await expect(page.getByText('Each refusal appears here as it happens.')).toBeVisible();
  await forge(server, '127.0.0.97');
  await expect(page.locator('.live li').first()).toContainText('127.0.0.97: forged sign-in, banned from everything');
  await page.reload();
  await expect(page.locator('.chart li').filter({ hasText: 'Forged sign-in' })).toContainText(/in this hour|an hour ago/);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export as CSV' }).click()]);
  expect(file.suggestedFilename()).toBe('audit.csv');
});

test('somebody else finds no such page', async ({ page, server, watch }) => {
  watch.allowStatus(404);
  await new LoginPage(page).signIn(await server.person());
  await expect(page.getByRole('link', { name: 'Bans' })).toHaveCount(0);
  for (const path of ['/dashboard/bans', '/dashboard/audit', '/dashboard/audit.csv']) {
    expect((await page.goto(path))?.status(), path).toBe(404);
  }
});

test('axe finds nothing, in any colours, narrow and wide', async ({ visit, server, watch }) => {
  test.slow();
  watch.allowStatus(404);
  const page = await visit({ bypassCSP: true });
  const bans = await office(page, server);
  await server.command(['ban', 'add', '203.0.113.11', '--reason', 'A test.']);
  await server.command(['allow', 'add', '192.0.2.0/24', '--comment', 'The office']);
  for (const path of ['/dashboard/bans?explain=203.0.113.11', '/dashboard/audit']) {
    await page.goto(path);
    if (path.includes('bans')) {
      await bans.alive();
      await bans.card('203.0.113.11').getByText('Lift', { exact: true }).click();
    }
    for (const [look, media] of Object.entries(LOOKS)) {
      await page.emulateMedia(media);
      for (const width of [320, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        expect.soft(await faults(page), `${path}, ${look}, ${width} px`).toEqual([]);
        const content = await page.evaluate(() => document.documentElement.scrollWidth);
        expect.soft(content, `${path}, ${width} px`).toBeLessThanOrEqual(width);
      }
    }
  }
});
