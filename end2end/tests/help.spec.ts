import { LoginPage } from '../pages/login';
import { expect, test } from '../support/test';

// The manual inside the program, for administrators.

test('an administrator reads the manual, follows its links and searches it', async ({ page, server }) => {
  await new LoginPage(page).signIn(await server.person('administrator'));
  await page.goto('/dashboard');
  await page.getByRole('link', { name: 'Help' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Help');
  await page.getByRole('link', { name: 'Behind nginx' }).click();
  await expect(page).toHaveTitle(/^Behind nginx/);
  await expect(page.getByText('nginx terminates TLS')).toBeVisible();

  await test.step('a configuration that a guide names is a page too', async () => {
    await page.getByRole('link', { name: 'deploy/nginx/postern.conf' }).click();
    await expect(page.locator('.manual')).toContainText('proxy_pass');
  });

  await test.step('the search finds words in texts', async () => {
    await page.getByLabel('Search the manual').fill('pg_dump PASSPHRASE');
    await page.getByRole('button', { name: 'Search' }).click();
    await expect(page.getByRole('link', { name: 'Backups' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Behind nginx' })).toHaveCount(0);
  });
});

test('every link of the manual leads somewhere', async ({ page, server, watch }) => {
  await new LoginPage(page).signIn(await server.person('administrator'));
  const targets = async (path: string) => {
    const answer = await page.request.get(path);
    expect(answer.status(), path).toBe(200);
    return [...(await answer.text()).matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'));
  };
  const seen = new Set<string>();
  const waiting = ['/dashboard/help'];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const found = (await targets(path)).filter((href) => href.startsWith('/dashboard/help')).map((href) => href.replace(/#.*/, ''));
    waiting.push(...found.filter((href) => !seen.has(href)));
    for (const href of found) seen.add(href);
  }
  expect(seen.size).toBeGreaterThan(40);
  watch.allowStatus(404);
  expect((await page.request.get('/dashboard/help/nothing')).status()).toBe(404);
});

test('for others there is no manual', async ({ page, server, watch }) => {
  watch.allowStatus(404);
  await new LoginPage(page).signIn(await server.person());
  await expect(page.getByRole('link', { name: 'Help' })).toHaveCount(0);
  for (const path of ['/dashboard/help', '/dashboard/help/bans']) expect((await page.request.get(path)).status()).toBe(404);
});
