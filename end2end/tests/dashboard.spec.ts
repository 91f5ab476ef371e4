import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Dashboard } from '../pages/dashboard';
import { LoginPage } from '../pages/login';
import { Client } from '../support/client';
import { expect, test } from '../support/test';
import { at } from '../support/url';

const PAGES = ['/dashboard', '/dashboard/devices', '/dashboard/activity'];

test.describe('to whoever is not signed in', () => {
  test('shows nothing of itself', async ({ server }) => {
    await server.person();
    const client = new Client(server);
    for (const path of PAGES) {
      for (const headers of [{}, { cookie: '__Host-postern-access=not.a.token' }, { authorization: 'Bearer x' }]) {
        const answer = await client.get(path, headers as Record<string, string>);
        expect([answer.status, answer.text, answer.cookies], path).toEqual([303, '', []]);
        const target = 'cookie' in headers ? '/resume' : '/login';
        expect(answer.headers.location).toBe(`${target}?next=${path}`);
      }
    }
    expect((await client.get('/dashboard?a=1&b=%2F')).headers.location).toBe('/login?next=/dashboard%3Fa%3D1%26b%3D%252F');
  });

  test('the sign-in page loads nothing of the dashboard', async ({ page, server }) => {
    await server.person();
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.goto('/dashboard');
    await page.waitForURL(at('/login'));
    await new LoginPage(page).alive();
    await page.waitForLoadState('networkidle');
    expect(loaded.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
    expect(loaded.join()).not.toContain('/pkg/dashboard');
    expect(await page.content()).not.toContain('/pkg/dashboard');
  });
});

test('loads nothing of the sign-in page', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  await page.reload();
  await page.waitForLoadState('networkidle');
  expect(loaded.filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
  expect(loaded.join()).not.toContain('/pkg/login');
});

test('its pages are a click apart and say where one is', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  const dashboard = new Dashboard(page);
  for (const [name, path] of [['Devices', '/dashboard/devices'], ['Activity', '/dashboard/activity'], ['Overview', '/dashboard']] as const) {
    const link = page.getByRole('navigation').getByRole('link', { name });
    await link.click();
    await page.waitForURL(at(path));
    await expect(dashboard.heading).toHaveText(name);
    await expect(page).toHaveTitle(`${name} · Postern`);
    await expect(link).toHaveAttribute('aria-current', 'page');
    await expect(page.locator('[aria-current]')).toHaveCount(1);
  }
  await page.goto('/');
  await expect(dashboard.heading).toHaveText('Overview');
});

test('the first key press skips to the content', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person());
  await page.reload();
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#content$/);
});

test('a page that is none says so, signed in or not', async ({ page, server, watch }) => {
  watch.allowStatus(404);
  expect((await page.goto('/nothing'))?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
  await new LoginPage(page).signIn(await server.person());
  for (const path of ['/nothing', '/dashboard/nothing', '/login/nothing']) {
    expect((await page.goto(path))?.status(), path).toBe(404);
    await expect(page.getByRole('heading', { name: 'Page not found' }), path).toBeVisible();
  }
});

test('times are the reader’s', async ({ visit, server }) => {
  const ada = await server.person();
  for (const [timezoneId, zone] of [['America/New_York', /EST|EDT|GMT-[45]/], ['Asia/Kolkata', /IST|GMT\+5:30/]] as const) {
    const page = await visit({ timezoneId });
    await new LoginPage(page).signIn(ada);
    await expect(page.locator('time').first()).toHaveAttribute('title', zone);
  }
});

test('a page whose code does not load says so', async ({ page, server, watch }) => {
  watch.allowMessage(/ERR_FAILED|Failed to fetch/);
  await page.route('**/*.wasm', (route) => route.abort());
  await server.person();
  await page.goto('/login');
  await expect(page.getByText(/could not load its code/)).toBeVisible();
  await expect(new LoginPage(page).button).toBeDisabled();
});

test('the files are those that were built', async ({ server }) => {
  const path = join(__dirname, '../../site/manifest.json');
  test.skip(!existsSync(path), 'nothing was built here');
  const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files: Record<string, string> };
  const client = new Client(server);
  const names = Object.keys(files).filter((name) => name.startsWith('/pkg/'));
  expect(names.length).toBeGreaterThanOrEqual(5);
  for (const name of names) {
    const answer = await client.get(name);
    expect(answer.status, name).toBe(200);
    expect(`sha256-${createHash('sha256').update(answer.body).digest('base64')}`, name).toBe(files[name]);
    const small = await client.get(name, { 'accept-encoding': 'br' });
    expect(small.headers['content-encoding'], name).toBe('br');
    expect(small.body.length, name).toBeLessThan(answer.body.length);
  }
});
